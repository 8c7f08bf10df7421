#include <metricsd/models/kinds/counter.h>

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

void Counter::save(ByteWriter& out) const {
  out.u64(whole_);
  out.f64(fraction_);
}

Result<> Counter::load(ByteReader& in) {
  const std::uint64_t whole = in.u64();
  const double fraction = in.f64();
  if (!in.ok() || !(fraction >= 0 && fraction < 1)) return Errc::corrupt_state;
  whole_ = whole;
  fraction_ = fraction;
  return {};
}

}  // namespace metricsd
