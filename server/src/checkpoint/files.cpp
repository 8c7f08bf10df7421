#include "files.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace metricsd::server {
namespace {

namespace fs = std::filesystem;

// Calls again what a signal interrupted.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

Result<> outcome(int result) {
  if (result != 0) return last_system_error();
  return {};
}

Result<std::size_t> bytes_of(ssize_t result) {
  if (result < 0) return last_system_error();
  return static_cast<std::size_t>(result);
}

Result<UniqueFd> open_file(const fs::path& path, int flags) {
  UniqueFd fd(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); }));
  if (!fd.valid()) return last_system_error();
  return fd;
}

class SystemFiles : public Files {
 public:
  Result<UniqueFd> create(const fs::path& path) const override {
    return open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  }
  Result<UniqueFd> open(const fs::path& path) const override {
    return open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }
  Result<std::size_t> read(int fd, std::span<char> to) const override {
    return bytes_of(uninterrupted([&] { return ::read(fd, to.data(), to.size()); }));
  }
  Result<std::size_t> write(int fd, std::string_view bytes) const override {
    return bytes_of(uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); }));
  }
  // An interrupted one is not called again: whether anything was lost is not known any more.
  Result<> sync(int fd) const override { return outcome(::fdatasync(fd)); }
  Result<> sync_directory(const fs::path& path) const override {
    const auto directory = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!directory) return directory.error();
    return outcome(::fsync(directory->get()));
  }
  Result<> rename(const fs::path& from, const fs::path& to) const override {
    return outcome(::rename(from.c_str(), to.c_str()));
  }
  Result<> remove(const fs::path& path) const override { return outcome(::unlink(path.c_str())); }
  Result<std::vector<std::string>> list(const fs::path& directory, std::string_view prefix) const override {
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
      std::string name = it->path().filename().string();
      if (name.starts_with(prefix)) names.push_back(std::move(name));
    }
    if (failure) return error_code(failure);
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

const Files& system_files() {
  static const SystemFiles files;
  return files;
}

}  // namespace metricsd::server
