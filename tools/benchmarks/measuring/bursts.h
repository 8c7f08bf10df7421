// Times of calls that are too short to be timed one by one: whole bursts of them between two readings of the
// clock, divided. One reading a burst is in each figure, a hundredth of one call's worth.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <boost/json/object.hpp>

namespace metricsd::measuring {

using Clock = std::chrono::steady_clock;

// Long enough for the clock to vanish in it, short enough for a percentile to show what disturbs one call.
inline constexpr int kBurst = 128;

// One thread; those of several are merged.
class Bursts {
 public:
  void reserve(std::size_t bursts) { ns_per_call_.reserve(bursts); }

  // Calls `call` kBurst times and keeps what one took.
  template <class Call>
  void time(Call&& call) {
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < kBurst; ++i) call();
    keep(Clock::now() - begin, kBurst);
  }
  void keep(Clock::duration elapsed, int calls) {
    ns_per_call_.push_back(std::chrono::duration<double, std::nano>(elapsed).count() / calls);
  }

  void merge(const Bursts& other);
  // Nanoseconds a call: {"p50", "p99", "p99_9"}.
  [[nodiscard]] boost::json::object percentiles() const;

 private:
  std::vector<double> ns_per_call_;
};

// Times a burst of readings of the clock.
void time_clock(Bursts& bursts);
// What the machine is like now: some 10 ms of nothing but readings of the clock.
[[nodiscard]] Bursts measure_clock();

}  // namespace metricsd::measuring
