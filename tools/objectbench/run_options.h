// The run, as every process of objectbench opens or joins it.
#pragma once

#include "options.h"

#include <metricsd/client/collector.h>

#include <cstdint>

namespace metricsd::tools {

// `users` are those of the calling process; the run's number is the sum.
[[nodiscard]] client::RunOptions run_options(const BenchOptions& options, std::uint64_t users);

}  // namespace metricsd::tools
