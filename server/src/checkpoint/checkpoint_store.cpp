#include "checkpoint_store.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::server {
namespace {

namespace fs = std::filesystem;
namespace errc = boost::system::errc;

constexpr const char* kCurrent = "checkpoint";
constexpr const char* kPrevious = "checkpoint.previous";
constexpr const char* kNew = "checkpoint.new";
constexpr std::string_view kBad = "checkpoint.bad-";
constexpr const char* kLock = "lock";

// A disk that cannot be read is asked again: what it has would else be lost for an error that passes.
constexpr int kReadAttempts = 5;
constexpr std::chrono::milliseconds kReadPause{20};

bool is_missing(const error_code& error) {
  return error == errc::no_such_file_or_directory;
}

bool is_full(const error_code& error) {
  return error == errc::no_space_on_device || error == error_code(EDQUOT, boost::system::system_category());
}

bool exists(const Files& files, const fs::path& path) {
  const auto file = files.open(path);
  return file || !is_missing(file.error());
}

Result<> unless_missing(const Result<>& result) {
  if (!result && is_missing(result.error())) return {};
  return result;
}

Result<> make_directories(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT || !directory.has_parent_path()) return last_system_error();
  if (const auto made = make_directories(directory.parent_path()); !made) return made;
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return last_system_error();
}

Result<> lock(int directory) {
  while (::flock(directory, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Errc::endpoint_in_use;
    if (errno != EINTR) return last_system_error();
  }
  return {};
}

bool is_of_others(const struct stat& status) {
  return status.st_uid != ::geteuid() && status.st_uid != 0;
}

// Who can put a file there is believed what it counts.
Result<> check_trust(const struct stat& directory, std::string& trouble) {
  if (is_of_others(directory)) {
    trouble = "it belongs to uid " + std::to_string(directory.st_uid) + "; give it to uid " +
              std::to_string(::geteuid()) + " (chown)";
    return Errc::endpoint_untrusted;
  }
  if ((directory.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    trouble = "others may write to it; take that from them (chmod go-w)";
    return Errc::endpoint_untrusted;
  }
  return {};
}

// A file that others may not open; none where the disk has no room for it, or is read-only.
Result<UniqueFd> open_lock_file(int directory) {
  constexpr int kFlags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(::openat(directory, kLock, O_RDWR | O_CREAT | kFlags, 0600));
  if (!file.valid() && errno == EROFS) file = UniqueFd(::openat(directory, kLock, O_RDONLY | kFlags));
  if (file.valid()) return file;
  const bool has_no_room = errno == EROFS || errno == ENOENT || errno == ENOSPC || errno == EDQUOT;
  if (!has_no_room) return last_system_error();
  return UniqueFd();
}

// The file, and the directory: that needs neither room on the disk nor leave to write to it, but who may read
// it may lock it. Where that are others, it is locked only if there can be no file.
Result<StateLock> lock_state(UniqueFd directory, const struct stat& status) {
  auto file = open_lock_file(directory.get());
  if (!file) return file.error();
  if (file->valid()) {
    if (const auto locked = lock(file->get()); !locked) return locked.error();
  }
  const bool is_private = (status.st_mode & (S_IRGRP | S_IROTH)) == 0;
  if (is_private || !file->valid()) {
    if (const auto locked = lock(directory.get()); !locked) return locked.error();
  }
  return StateLock{.file = *std::move(file), .directory = std::move(directory)};
}

Result<StateLock> open_and_lock(const fs::path& path, std::string& trouble) {
  if (const auto made = make_directories(path); !made) return made.error();
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!directory.valid() || ::fstat(directory.get(), &status) != 0) return last_system_error();
  if (const auto trusted = check_trust(status, trouble); !trusted) return trusted.error();
  // A disk that is read-only may change its mind; an owner does not.
  const bool may_write = ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  if (!may_write && errno != EROFS) return last_system_error();
  return lock_state(std::move(directory), status);
}

// Whether it may be read and, one day, replaced. What cannot be told now is found out when it is read.
Result<> check_file(const fs::path& path, const Files& files, std::string& trouble) {
  const std::string name = path.filename().string();
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && is_of_others(status)) {
    trouble = name + " in it belongs to uid " + std::to_string(status.st_uid) + "; give it to uid " +
              std::to_string(::geteuid()) + " (chown), or move it away to begin anew";
    return Errc::endpoint_untrusted;
  }
  const auto reader = FrameReader::open(files, path);
  if (!reader || reader->end() != FileEnd::foreign) return {};
  trouble = name + " in it is of version " + reader->foreign_version() +
            " of the format, and this metricsd reads versions 1 and 2: start the one that wrote it, or move "
            "the file "
            "away to begin anew";
  return Errc::unsupported_protocol;
}

std::string advice(const fs::path& directory, const error_code& error, const std::string& trouble) {
  std::string why = "cannot keep state in " + directory.string() + ": ";
  if (error == Errc::endpoint_in_use) {
    return why +
           "another metricsd keeps its state there; give this one a directory of its own (--data-dir DIR)";
  }
  why += trouble.empty() ? error.message() : trouble;
  if (error == errc::permission_denied || error == errc::operation_not_permitted) {
    why += "; give it to uid " + std::to_string(::geteuid()) + " (chown)";
  }
  return why + "; or name another one (--data-dir DIR), or none (--data-dir none)";
}

std::uint64_t number_of(std::string_view bad_name) {
  bad_name.remove_prefix(kBad.size());
  std::uint64_t number = 0;
  std::from_chars(bad_name.data(), bad_name.data() + bad_name.size(), number);
  return number;
}

// Names sort as their numbers do.
std::string bad_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(kBad) + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

}  // namespace

std::string_view to_string(Restored::Source source) noexcept {
  switch (source) {
    case Restored::Source::nothing: return "nothing";
    case Restored::Source::checkpoint: return "checkpoint";
    case Restored::Source::previous: return "previous";
  }
  return "nothing";
}

Result<CheckpointStore> CheckpointStore::claim(const fs::path& directory, const Files& files,
                                               std::string& why) {
  std::string trouble;
  auto locked = open_and_lock(directory, trouble);
  Result<> usable = locked ? Result<>() : locked.error();
  for (const char* name : {kCurrent, kPrevious, kNew}) {
    if (usable) usable = check_file(directory / name, files, trouble);
  }
  if (!usable) {
    why = advice(directory, usable.error(), trouble);
    return usable.error();
  }
  return CheckpointStore(directory, files, *std::move(locked));
}

CheckpointStore::CheckpointStore(fs::path directory, const Files& files, StateLock lock)
    : directory_(std::move(directory)),
      files_(&files),
      lock_(std::move(lock)),
      current_{named(kCurrent)},
      previous_{named(kPrevious)} {
  count_bad_files();
}

Restored CheckpointStore::load(const Take& take) {
  finish_replacing();
  Restored restored;
  if (load_file(current_, take, restored)) {
    restored.source = Restored::Source::checkpoint;
  } else if (load_file(previous_, take, restored)) {
    restored.source = Restored::Source::previous;
    is_put_aside_ = current_.is_missing && exists(*files_, named(kNew));
  }
  // Nobody but a person takes the last file away with none in the making.
  const bool is_gone = restored.source == Restored::Source::previous && current_.is_missing && !is_put_aside_;
  restored.is_behind = is_gone || !restored.damaged.empty();
  return restored;
}

// Killed between two renames: the file in the making is whole, and what would have counted.
void CheckpointStore::finish_replacing() {
  if (exists(*files_, current_.path)) return;
  auto reader = FrameReader::open(*files_, named(kNew));
  if (reader && reader->next()) static_cast<void>(files_->rename(named(kNew), current_.path));
}

// Whether a state was taken from it.
bool CheckpointStore::load_file(Old& old, const Take& take, Restored& restored) {
  restored.generation = restored.frames = restored.bytes = restored.torn_bytes = 0;
  const auto file = files_->open(old.path);
  old.is_missing = !file && is_missing(file.error());
  if (old.is_missing) return false;
  FileEnd end = FileEnd::unreadable;
  for (int attempt = 0; attempt < kReadAttempts && end == FileEnd::unreadable; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kReadPause);
    restored.generation = restored.frames = restored.bytes = restored.torn_bytes = 0;
    end = take_frames(old.path, take, std::numeric_limits<std::uint64_t>::max(), restored);
  }
  old.is_bad = end == FileEnd::damaged || end == FileEnd::unreadable || restored.frames == 0;
  old.holds_state = restored.frames > 0;
  if (old.is_bad) {
    const char* const trouble = end == FileEnd::unreadable ? "cannot be read" : "damaged";
    const std::string what = restored.frames == 0
                                 ? trouble
                                 : trouble + (" behind generation " + std::to_string(restored.generation));
    restored.damaged.push_back(old.path.filename().string() + ": " + what);
  }
  return restored.frames > 0;
}

FileEnd CheckpointStore::take_frames(const fs::path& path, const Take& take, std::uint64_t most,
                                     Restored& restored) {
  auto reader = FrameReader::open(*files_, path);
  if (!reader) return FileEnd::unreadable;
  while (restored.frames < most) {
    const auto frame = reader->next();
    if (!frame) break;
    if (!take(*frame)) {
      // It may have been taken in part: once more, without it.
      const std::uint64_t good = std::exchange(restored.frames, 0);
      take_frames(path, take, good, restored);
      return FileEnd::damaged;
    }
    ++restored.frames;
    restored.generation = frame->generation;
    restored.bytes = reader->size();
  }
  restored.torn_bytes = reader->torn();
  return reader->end();
}

Result<> CheckpointStore::append(const Frame& increment) {
  Result<> outcome = file_->append(increment);
  if (outcome) outcome = file_->sync();
  if (!outcome) file_.reset();
  return outcome;
}

Result<> CheckpointStore::rewrite(const Frame& base) {
  file_.reset();
  Result<> outcome = put_back();
  if (outcome) outcome = write_new(base);
  if (outcome) outcome = put_in_place();
  if (!outcome) file_.reset();
  return outcome;
}

// Before the file in the making goes: without it, a last file that is not in its place seems to be lost.
Result<> CheckpointStore::put_back() {
  if (!is_put_aside_) return {};
  if (const auto back = files_->rename(previous_.path, current_.path); !back) return back;
  is_put_aside_ = false;
  current_.holds_state = true;
  return {};
}

Result<> CheckpointStore::write_new(const Frame& base) {
  const fs::path path = named(kNew);
  if (const auto cleared = clear(path); !cleared) return cleared;
  const auto written = [&]() -> Result<> {
    auto writer = FrameWriter::create(*files_, path);
    if (!writer) return writer.error();
    if (const auto appended = writer->append(base); !appended) return appended;
    if (const auto synced = writer->sync(); !synced) return synced;
    file_ = *std::move(writer);
    base_size_ = file_->size();
    return {};
  }();
  if (written) return written;
  static_cast<void>(files_->remove(path));
  // The next attempt finds the room of the file that is needed least.
  if (is_full(written.error()) && current_.holds_state) static_cast<void>(files_->remove(previous_.path));
  return written;
}

// A directory is nothing of ours, and in the way for ever: it is kept as what is damaged is.
Result<> CheckpointStore::clear(const fs::path& path) {
  const auto removed = unless_missing(files_->remove(path));
  if (removed || removed.error() != errc::is_a_directory) return removed;
  Old stray{path};
  return keep_bad(stray);
}

// The file that counted becomes the previous one; a damaged one never takes the place of a good one.
Result<> CheckpointStore::put_aside() {
  if (previous_.is_bad) {
    if (const auto kept = keep_bad(previous_); !kept) return kept;
  }
  if (current_.is_bad) {
    current_.holds_state = false;
    return keep_bad(current_);
  }
  auto away = unless_missing(files_->rename(current_.path, previous_.path));
  if (!away && away.error() == errc::is_a_directory) {
    if (const auto kept = keep_bad(previous_); !kept) return kept;
    away = unless_missing(files_->rename(current_.path, previous_.path));
  }
  if (away) is_put_aside_ = std::exchange(current_.holds_state, false);
  return away;
}

Result<> CheckpointStore::put_in_place() {
  if (const auto away = put_aside(); !away) return away;
  if (const auto placed = files_->rename(named(kNew), current_.path); !placed) return placed;
  is_put_aside_ = false;
  current_.holds_state = true;
  return files_->sync_directory(directory_);
}

Result<> CheckpointStore::keep_bad(Old& bad) {
  const auto names = files_->list(directory_, kBad);
  if (!names) return names.error();
  const std::uint64_t number = names->empty() ? 1 : number_of(names->back()) + 1;
  const auto kept = unless_missing(files_->rename(bad.path, directory_ / bad_name(number)));
  if (!kept) return kept;
  bad.is_bad = false;
  for (std::size_t i = 0; i + kBadKept <= names->size(); ++i) {
    static_cast<void>(files_->remove(directory_ / (*names)[i]));
  }
  count_bad_files();
  return {};
}

void CheckpointStore::count_bad_files() {
  const auto names = files_->list(directory_, kBad);
  bad_files_ = names ? names->size() : 0;
}

}  // namespace metricsd::server
