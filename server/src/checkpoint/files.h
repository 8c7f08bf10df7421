// What checkpoints ask of the file system, one system call each, so that a test can let any of them fail.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// Any thread. Every error is the system's.
class Files {
 public:
  virtual ~Files() = default;

  // A new file to write; an error where the name is taken.
  [[nodiscard]] virtual Result<UniqueFd> create(const std::filesystem::path& path) const = 0;
  // To read. Never waits, follows no link.
  [[nodiscard]] virtual Result<UniqueFd> open(const std::filesystem::path& path) const = 0;
  // What comes next of the file: at most as much as `to` holds, 0 bytes at its end.
  [[nodiscard]] virtual Result<std::size_t> read(int fd, std::span<char> to) const = 0;
  // May take less than all.
  [[nodiscard]] virtual Result<std::size_t> write(int fd, std::string_view bytes) const = 0;
  // Returns once the content is on the disk. After an error the kernel may have dropped what it could not
  // write, and a second attempt would report success: such a file is not to be used any more.
  [[nodiscard]] virtual Result<> sync(int fd) const = 0;
  [[nodiscard]] virtual Result<> sync_directory(const std::filesystem::path& path) const = 0;
  [[nodiscard]] virtual Result<> rename(const std::filesystem::path& from,
                                        const std::filesystem::path& to) const = 0;
  [[nodiscard]] virtual Result<> remove(const std::filesystem::path& path) const = 0;
  // Names in a directory that begin so, in their order.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::filesystem::path& directory,
                                                              std::string_view prefix) const = 0;
};

// The system's. Lives for the whole program.
const Files& system_files();

}  // namespace metricsd::server
