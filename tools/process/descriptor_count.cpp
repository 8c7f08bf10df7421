#include "descriptor_count.h"

#include "pid_path.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

bool is_proc(int directory) {
  struct statfs about {};
  return ::fstatfs(directory, &about) == 0 && about.f_type == PROC_SUPER_MAGIC;
}

Result<std::uint64_t> count_entries(int proc, const char* path) {
  const int fd = ::openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return last_system_error();
  DIR* directory = ::fdopendir(fd);
  if (directory == nullptr) {
    const auto error = last_system_error();
    ::close(fd);
    return error;
  }
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory)) count += entry->d_name[0] != '.';
  ::closedir(directory);
  return count;
}

}  // namespace

DescriptorCount::DescriptorCount(int proc) : proc_(proc), size_counts_(is_proc(proc)) {}

// From Linux 6.2 on the directory's size is its number of entries (proc(5)), and 0 before that.
Result<std::uint64_t> DescriptorCount::of(pid_t pid) const {
  const PidPath path(pid, "fd");
  if (size_counts_) {
    struct stat status {};
    if (::fstatat(proc_, path.c_str(), &status, 0) != 0) return last_system_error();
    if (status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
  }
  return count_entries(proc_, path.c_str());
}

}  // namespace metricsd::tools
