// The pids that have a directory in /proc.
#pragma once

#include <vector>

#include <dirent.h>
#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class PidListing {
 public:
  // `directory` is one's descriptor, which is not kept. One that can not be listed is empty.
  explicit PidListing(int directory);
  PidListing(PidListing&& other) noexcept;
  PidListing& operator=(PidListing&&) = delete;
  ~PidListing();

  // In ascending order; valid until the next.
  [[nodiscard]] const std::vector<pid_t>& read();

 private:
  DIR* directory_;
  std::vector<pid_t> pids_;
};

}  // namespace metricsd::tools
