// What a shard answers who asks it to fold a segment.
#pragma once

#include <metricsd/models/errors.h>

#include <cstdint>
#include <functional>

namespace metricsd::server {

// What came of folding a dead client's segment.
using FoldOutcome = Result<std::uint64_t>;  // records that were not known before
using FoldDone = std::function<void(const FoldOutcome&)>;

}  // namespace metricsd::server
