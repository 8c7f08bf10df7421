#include "spill_file.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

namespace metricsd {

Result<SpillFile> SpillFile::create(const std::filesystem::path& directory) {
  std::string name = (directory / ".metricsd-spill-XXXXXX").string();
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid() || ::unlink(name.c_str()) != 0) return last_system_error();
  return SpillFile(std::move(fd));
}

Result<> SpillFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return last_system_error();
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> SpillFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_system_error();
    if (got == 0) return Errc::corrupt_state;
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace metricsd
