// The data directory: where checkpoints are, and which of them counts.
//
//   checkpoint            a base and what changed since, an increment each time
//   checkpoint.previous   the file before: used where `checkpoint` has no base that counts
//   checkpoint.new        the next file, in the making
//   checkpoint.bad-N      files that were damaged, kept for a person: the last kBadKept of them
//   lock                  whose lock says that somebody keeps his state here
//
// That is all there ever is, however often the daemon is started. A file that could not be written to the end
// is never written again: the next one begins with a base of its own.
#pragma once

#include "files.h"
#include "frame.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// Where the state came from.
struct Restored {
  enum class Source { nothing, checkpoint, previous };

  Source source = Source::nothing;
  std::uint64_t generation = 0;
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t torn_bytes = 0;  // behind what counts: of a frame that was cut short
  // Of what was acknowledged some may be missing: a file that was the last was damaged, or is gone.
  bool is_behind = false;
  std::vector<std::string> damaged;  // names of files, and what is wrong with them
};

[[nodiscard]] std::string_view to_string(Restored::Source source) noexcept;

// As long as it lives no other daemon has this data directory.
struct StateLock {
  UniqueFd file;       // none where the disk had no room for it
  UniqueFd directory;  // locked itself where only its owner may read it, or where there is no file
};

// One thread. While it lives, no other process has the directory.
class CheckpointStore {
 public:
  static constexpr std::size_t kBadKept = 3;

  // Makes the directory where it is missing, its parents too, for the owner alone. `why` says for a person
  // what is wrong and what to do. Errors: endpoint_in_use where another daemon has it; endpoint_untrusted
  // where others could change what is in it; unsupported_protocol where another version of the daemon keeps
  // its state there, which stays as it is; the system's.
  [[nodiscard]] static Result<CheckpointStore> claim(const std::filesystem::path& directory,
                                                     const Files& files, std::string& why);

  // Reads the state that counts: calls `take` with a base and the increments after it. Where `take` says no
  // to one, what was taken counts up to there, from a base on again; a base begins anew.
  using Take = std::function<bool(const Frame&)>;
  Restored load(const Take& take);

  // Whether an increment may be appended.
  [[nodiscard]] bool is_open() const { return file_.has_value(); }
  // Durable when it returns. After an error the store is not open any more.
  [[nodiscard]] Result<> append(const Frame& increment);
  // Begins a new file with this base, and is open then. The one that counted before is the previous one.
  [[nodiscard]] Result<> rewrite(const Frame& base);

  // Of the file that is open, and of its base.
  [[nodiscard]] std::uint64_t size() const { return file_ ? file_->size() : 0; }
  [[nodiscard]] std::uint64_t base_size() const { return base_size_; }
  // Damaged files that are kept.
  [[nodiscard]] std::size_t bad_files() const { return bad_files_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  struct Old {
    std::filesystem::path path;
    bool is_missing = false;
    bool holds_state = false;
    bool is_bad = false;  // damaged; up to there it may hold state
  };

  CheckpointStore(std::filesystem::path directory, const Files& files, StateLock lock);
  void finish_replacing();
  bool load_file(Old& old, const Take& take, Restored& restored);
  FileEnd take_frames(const std::filesystem::path& path, const Take& take, std::uint64_t most,
                      Restored& restored);
  Result<> write_new(const Frame& base);
  Result<> clear(const std::filesystem::path& path);
  Result<> put_aside();
  Result<> put_in_place();
  Result<> put_back();
  Result<> keep_bad(Old& bad);
  void count_bad_files();
  [[nodiscard]] std::filesystem::path named(const char* name) const { return directory_ / name; }

  std::filesystem::path directory_;
  const Files* files_;
  StateLock lock_;
  Old current_;
  Old previous_;
  // The last file is the previous one, and nothing has taken its place yet: a file in the making tells so.
  bool is_put_aside_ = false;
  std::optional<FrameWriter> file_;
  std::uint64_t base_size_ = 0;
  std::size_t bad_files_ = 0;
};

}  // namespace metricsd::server
