#include "destinations_end.h"

#include <algorithm>
#include <chrono>

namespace metricsd::tools {

namespace {

constexpr std::chrono::milliseconds kTurn{50};  // soon enough for somebody who has pressed Ctrl-C

}  // namespace

void end_all(SomeDestinations destinations) noexcept {
  for (const auto& destination : destinations) destination->end();
}

void wait_for_all(SomeDestinations destinations, const std::function<bool()>& is_enough) {
  const auto has_ended = [](const auto& destination) { return destination->wait(kTurn); };
  while (!std::all_of(destinations.begin(), destinations.end(), has_ended) && !is_enough()) {
  }
  for (const auto& destination : destinations) destination->leave();
}

}  // namespace metricsd::tools
