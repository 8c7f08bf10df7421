#include "kernel_files.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace metricsd::tools {

KernelFiles::KernelFiles(const std::filesystem::path& directory)
    : directory_(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), buffer_(kBeginning, '\0') {}

UniqueFd KernelFiles::open(const char* path) const {
  return UniqueFd(::openat(directory_.get(), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

Result<std::string_view> KernelFiles::read(const char* path) {
  const UniqueFd file = open(path);
  if (!file.valid()) return last_system_error();
  return read(file);
}

Result<std::string_view> KernelFiles::read_beginning(const char* path) {
  const UniqueFd file = open(path);
  if (!file.valid()) return last_system_error();
  const ssize_t got = ::pread(file.get(), buffer_.data(), kBeginning, 0);
  if (got < 0) return last_system_error();
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
}

// Up to the end: files of many records come in several pieces, however large the buffer.
Result<std::string_view> KernelFiles::read(const UniqueFd& file) {
  std::size_t size = 0;
  for (;;) {
    const ssize_t got =
        ::pread(file.get(), buffer_.data() + size, buffer_.size() - size, static_cast<off_t>(size));
    if (got == 0) return std::string_view(buffer_).substr(0, size);
    if (got < 0) {
      if (errno == EINTR) continue;
      return last_system_error();
    }
    size += static_cast<std::size_t>(got);
    if (size < buffer_.size()) continue;
    if (size >= kKernelFile) return Errc::too_long;
    buffer_.resize(size * 2);
  }
}

}  // namespace metricsd::tools
