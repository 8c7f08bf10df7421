// The file of a segment: its memory, its owner's lock and its name (ipc/segment_layout.h has the rules).
//
// It is made without a name on the first tmpfs that is ours to use, and gets its name once its content is
// fit to be read: nobody finds one that is half made or not locked. Where none is to be had it is a memfd,
// which whoever holds its descriptor can read all the same. A file system that is less than half free is
// left alone: it is others', too, and what killed processes left there may wait long for a daemon.
#pragma once

#include "fork_guard.h"

#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::client {

class OwnedFile {
 public:
  // Sparse, `bytes` long, locked, close-on-exec. No file where a file size limit forbids that length, whose
  // signal would end the workload, or where the system has none. Throws std::bad_alloc.
  OwnedFile(const std::vector<std::filesystem::path>& directories, std::size_t bytes);
  OwnedFile(const OwnedFile&) = delete;
  OwnedFile& operator=(const OwnedFile&) = delete;
  // Removes the name, if it has one.
  ~OwnedFile();

  // -1 where there is none.
  [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }

  // Files of others of this user that are gone, found where this one is: nobody has adopted them.
  [[nodiscard]] const std::vector<std::string>& left_by_others() const noexcept { return left_; }

  // Gives it its name where it has a directory, else does nothing; or another one.
  void set_name(std::string_view name);
  // "" while it has none.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void remove_name() noexcept;
  // What it holds is for others to deliver: the name stays, the lock goes.
  void leave() noexcept;

 private:
  [[nodiscard]] bool make_in(const std::filesystem::path& directory);

  UniqueFd fd_;
  std::optional<fork_guard::ClosedInChild> closed_in_child_;
  std::string directory_;  // absolute; "" for a memfd
  std::string path_;
  std::vector<std::string> left_;
};

}  // namespace metricsd::client
