#include "shares.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <cstdint>

#include <sys/resource.h>

namespace metricsd::server {
namespace {

// Descriptors that the daemon opens now and then beside its connections: /proc files, epoll, timers, the
// checkpoint's files and their directory.
constexpr std::size_t kSpareDescriptors = 10;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
  return limit.rlim_cur;
}

DescriptorShares share_descriptors(std::size_t limit, std::size_t in_use) {
  const std::size_t free = limit > in_use + kSpareDescriptors ? limit - in_use - kSpareDescriptors : 2;
  const std::size_t http = std::clamp(free / 4, std::size_t{1}, limits::kHttpConnections);
  const std::size_t segments = std::min((free - http) / 6, limits::kIngestConnections);
  return {.ingest = std::clamp(free - http - 2 * segments, std::size_t{1}, limits::kIngestConnections),
          .http = http,
          .segments = segments};
}

UserLimitPair user_limits(const Config& config, std::size_t connections) {
  const std::uint64_t most = std::max<std::uint64_t>(connections / 4 * 3, 1);
  return {.others = {.connections = config.user_connections.value_or(most),
                     .bytes_per_second = config.user_bytes_per_second.value_or(limits::kUserBytes)},
          .owner = {.connections = config.user_connections.value_or(UserLimit::kNone),
                    .bytes_per_second = config.user_bytes_per_second.value_or(UserLimit::kNone)}};
}

}  // namespace metricsd::server
