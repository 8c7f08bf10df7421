#include "bursts.h"

#include "keep.h"

#include <algorithm>

namespace metricsd::measuring {

void Bursts::merge(const Bursts& other) {
  ns_per_call_.insert(ns_per_call_.end(), other.ns_per_call_.begin(), other.ns_per_call_.end());
}

boost::json::object Bursts::percentiles() const {
  std::vector<double> sorted = ns_per_call_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](std::size_t per_mille) {
    return sorted.empty() ? 0.0 : sorted[(sorted.size() - 1) * per_mille / 1000];
  };
  return {{"p50", at(500)}, {"p99", at(990)}, {"p99_9", at(999)}};
}

void time_clock(Bursts& bursts) {
  bursts.time([] { keep(Clock::now()); });
}

Bursts measure_clock() {
  constexpr int kBursts = 5000;
  Bursts bursts;
  bursts.reserve(kBursts);
  for (int i = 0; i < kBursts; ++i) time_clock(bursts);
  return bursts;
}

}  // namespace metricsd::measuring
