#include "event.h"

#include <random>

namespace metricsd::load {

namespace {

// std::mt19937 gives the same numbers everywhere; the standard distributions do not.
class Chance {
 public:
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  // From 2^low to 2^high, each power of two as likely as the others.
  std::uint64_t spread(unsigned low, unsigned high) {
    const std::uint64_t power = std::uint64_t{1} << (low + below(high - low));
    return power + below(power);
  }

 private:
  std::mt19937_64 engine_{20221};
};

}  // namespace

std::vector<Event> make_events(std::size_t count) {
  constexpr std::int64_t kStepNs = 100;  // what a millisecond with four decimals tells
  Chance chance;
  std::vector<Event> events(count);
  std::size_t ordinal = 0;
  for (Event& event : events) {
    event.label_set = ordinal % kLabelSets.size();
    event.success = ordinal / kLabelSets.size() % 16 != 15;
    event.duration_ns = static_cast<std::int64_t>(chance.spread(9, 22)) * kStepNs;
    event.bytes = chance.spread(12, 22);
    ++ordinal;
  }
  return events;
}

}  // namespace metricsd::load
