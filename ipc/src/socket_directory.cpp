#include "file_status.h"

#include <metricsd/ipc/socket_directory.h>

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace metricsd::ipc {
namespace {

constexpr const char* kSystemDirectory = "/run/metricsd";

error_code refuse(std::string* explanation, const error_code& error, std::string why) {
  if (explanation != nullptr) *explanation = std::move(why);
  return error;
}

error_code refuse_with_errno(std::string* explanation, const std::string& what) {
  const error_code error = last_system_error();
  return refuse(explanation, error, what + ": " + error.message());
}

}  // namespace

mode_t socket_directory_mode(const std::filesystem::path& directory) {
  return directory == kSystemDirectory ? 0755 : 0700;
}

bool owns_system_directory(uid_t uid) {
  struct stat status {};
  return ::lstat(kSystemDirectory, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == uid;
}

bool is_of_system_daemon(const std::filesystem::path& directory) {
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  const bool is_daemons = !is_trusted_owner(status.st_uid) && owns_system_directory(status.st_uid);
  return is_daemons && is_closed_to_others(status);
}

Result<UniqueFd> make_socket_directory(const std::filesystem::path& directory, std::string* explanation) {
  const std::string name = "the directory " + directory.string();
  const mode_t mode = socket_directory_mode(directory);
  const bool made = ::mkdir(directory.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return refuse_with_errno(explanation, "cannot make " + name);

  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid() && (errno == ENOTDIR || errno == ELOOP)) {
    return refuse(explanation, Errc::endpoint_untrusted,
                  directory.string() + " is a symbolic link or no directory; name the directory itself");
  }
  if (!fd.valid()) return refuse_with_errno(explanation, "cannot open " + name);
  if (made && ::fchmod(fd.get(), mode) != 0) {  // what the umask took
    return refuse_with_errno(explanation, "cannot set the mode of " + name);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refuse_with_errno(explanation, "cannot examine " + name);
  if (!is_trusted_owner(status.st_uid)) {
    return refuse(explanation, Errc::endpoint_untrusted,
                  name + " belongs to uid " + std::to_string(status.st_uid) + "; choose one of your own");
  }
  return fd;
}

bool is_closed_to_others(const struct stat& directory) {
  const bool others_write = (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool entries_are_safe = (directory.st_mode & S_ISVTX) != 0 && directory.st_uid == 0;
  return !others_write || entries_are_safe;
}

}  // namespace metricsd::ipc
