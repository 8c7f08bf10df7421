// How long that is believed which few change: a process's network namespace, the limit of a control group. A
// look at each costs little beside a sample; so at a sample a second both are looked at each time, even where
// one comes a little early.
#pragma once

#include <metricsd/models/timestamp.h>

#include <cstdint>

namespace metricsd::tools {

inline constexpr std::int64_t kTrustedNs = 900 * kNsPerMs;

}  // namespace metricsd::tools
