// The object store in a process of its own, so that a workload process measures its own work only.
#pragma once

#include "options.h"

#include <optional>

#include <sys/types.h>

namespace metricsd::tools {

// Forks: make one before any thread exists. The store ends, and removes its objects, once every process that
// was forked after it has gone and the owner is destroyed, however they end.
class ObjectStoreProcess {
 public:
  // Nothing where the store can not start; the reason is on stderr.
  [[nodiscard]] static std::optional<ObjectStoreProcess> start(unsigned connections);

  ObjectStoreProcess(ObjectStoreProcess&& other) noexcept;
  ObjectStoreProcess& operator=(ObjectStoreProcess&&) = delete;
  ~ObjectStoreProcess();

  [[nodiscard]] const ObjectUrl& url() const { return url_; }

 private:
  ObjectStoreProcess(pid_t pid, int lifeline, ObjectUrl url);

  pid_t pid_;
  int lifeline_;  // closed by all that hold it: the store ends
  ObjectUrl url_;
};

}  // namespace metricsd::tools
