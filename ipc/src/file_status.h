// Which file it is, whatever its name.
#pragma once

#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace metricsd::ipc {

// Unambiguous while the file is open, or bound by an open socket.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;

  bool operator==(const FileId&) const = default;
};

[[nodiscard]] inline FileId file_id(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

// Of the entry of an open directory, links not followed; nothing where there is none.
[[nodiscard]] inline std::optional<struct stat> status_of_entry(int directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return status;
}

// Files of root and of the process's own user are as good as its own.
[[nodiscard]] inline bool is_trusted_owner(uid_t owner) {
  return owner == 0 || owner == ::geteuid();
}

}  // namespace metricsd::ipc
