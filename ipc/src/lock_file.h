// A lock known by a file's name, which one process at a time holds, for as long as it lives.
//
// The kernel lets go of it when its holder ends, however that comes. The file itself is removed with the
// lock: who finds the lock free therefore looks whether the file is still the one behind the name, or it
// would hold the lock of a file that nobody else can find.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <string>

namespace metricsd::ipc {

class LockFile {
 public:
  // `directory` is an open directory that outlives the lock. Never waits. Errors: endpoint_in_use where
  // another holds it; endpoint_untrusted for a file that is not the caller's or root's, or no regular file;
  // the system's.
  [[nodiscard]] static Result<LockFile> acquire(int directory, std::string name);

  LockFile(LockFile&&) noexcept = default;
  LockFile& operator=(LockFile&&) = delete;
  // Removes the file, then lets go.
  ~LockFile();

 private:
  LockFile(int directory, std::string name, UniqueFd fd);

  int directory_;
  std::string name_;
  UniqueFd fd_;
};

}  // namespace metricsd::ipc
