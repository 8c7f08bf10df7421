#include <metricsd/models/kinds/counter.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <cmath>
#include <limits>

namespace metricsd {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr double kTwoTo64 = 18'446'744'073'709'551'616.0;

}  // namespace

void Counter::apply(std::uint64_t delta) {
  whole_ = delta > kMax - whole_ ? kMax : whole_ + delta;
}

void Counter::apply(double delta) {
  const double whole = std::floor(delta);
  apply(whole >= kTwoTo64 ? kMax : static_cast<std::uint64_t>(whole));
  fraction_ += delta - whole;
  if (fraction_ >= 1) {
    fraction_ -= 1;
    apply(std::uint64_t{1});
  }
}

void Counter::merge(const Counter& other) {
  apply(other.whole_);
  apply(other.fraction_);
}

// whole (u64), fraction (short)
void Counter::save(StateWriter& out) const {
  out.u64(whole_);
  out.short_f64(fraction_);
}

void Counter::load(StateReader& in) {
  whole_ = in.u64();
  fraction_ = in.short_f64();
  if (!(fraction_ >= 0 && fraction_ < 1)) in.fail();
}

}  // namespace metricsd
