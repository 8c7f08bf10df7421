// What became of what a sink was given. All that it took is told, failed or still on its way.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace metricsd::exporters {

struct SinkReport {
  std::uint64_t told = 0;    // the other side has said that it has it
  std::uint64_t failed = 0;  // refused, lost, or given up for something newer
  std::string last_error;    // for a person, one line; empty where nothing failed
};

// Told of a sink's first failure, once, from the sink's own thread: one line for a person.
using SayFailure = std::function<void(const std::string&)>;

}  // namespace metricsd::exporters
