#include <metricsd/models/unique_fd.h>

#include <utility>

#include <unistd.h>

namespace metricsd {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  UniqueFd old(std::exchange(fd_, other.release()));
  return *this;
}

UniqueFd::~UniqueFd() {
  if (valid()) ::close(fd_);
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

}  // namespace metricsd
