// A file that appears whole or not at all: written under a temporary name beside it, fsync, rename, fsync of
// the directory. Errors stick: after the first, write() does nothing and commit() returns it.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace metricsd::exporters {

// One thread. The destructor of an uncommitted sink removes the temporary file.
class FileSink {
 public:
  explicit FileSink(std::filesystem::path path);
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink();

  void write(std::string_view bytes);
  // Once, at the end. On failure the temporary file is gone and what stood at the path still stands there,
  // unless only the directory could not be synced.
  [[nodiscard]] Result<> commit();

 private:
  void flush();
  void write_through(std::string_view bytes);
  void discard();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::string buffer_;
  std::uint64_t written_ = 0;      // bytes handed to the kernel
  std::uint64_t written_out_ = 0;  // of these, what the disk was told to begin with
  UniqueFd fd_;                    // none: never opened, committed or discarded
  error_code error_;
};

// The whole of `bytes` as the file at `path`.
[[nodiscard]] Result<> write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace metricsd::exporters
