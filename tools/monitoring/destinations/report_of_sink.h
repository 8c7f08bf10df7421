// What a destination says of itself that hands its observations to a sink.
#pragma once

#include "destination.h"

#include <cstdint>
#include <optional>

namespace metricsd::tools {

// `sink` is nothing before the first observation; `unmade` are those that there was no memory for.
template <class Sink>
[[nodiscard]] DestinationReport report_of(const std::optional<Sink>& sink, std::uint64_t unmade) {
  DestinationReport report{0, unmade, unmade > 0 ? "out of memory" : ""};
  if (!sink) return report;
  const auto of_sink = sink->report();
  report.told = of_sink.told;
  report.failed += of_sink.failed;
  if (!of_sink.last_error.empty()) report.last_error = of_sink.last_error;
  return report;
}

}  // namespace metricsd::tools
