#include <metricsd/models/kinds/gauge.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace metricsd {

void Gauge::apply(Owner owner, double value, std::int64_t at_ns) {
  const auto at = std::lower_bound(contributions_.begin(), contributions_.end(), owner,
                                   [](const Contribution& c, Owner o) { return c.owner < o; });
  const Contribution contribution{owner, value, at_ns};
  if (at != contributions_.end() && at->owner == owner) {
    *at = contribution;
  } else {
    contributions_.insert(at, contribution);
  }
}

bool Gauge::forget(Owner owner) {
  return std::erase_if(contributions_, [owner](const Contribution& c) { return c.owner == owner; }) > 0;
}

void Gauge::merge(const Gauge& other) {
  for (const Contribution& c : other.contributions_) apply(c.owner, c.value, c.at_ns);
}

std::optional<Shape> Gauge::show() const {
  if (contributions_.empty()) return merge_ == Merge::sum ? std::optional<Shape>(Scalar{0}) : std::nullopt;
  double shown = merge_ == Merge::sum ? 0 : contributions_.front().value;
  std::int64_t shown_at_ns = contributions_.front().at_ns;
  for (const Contribution& c : contributions_) {
    switch (merge_) {
      case Merge::sum: shown += c.value; break;
      case Merge::min: shown = std::min(shown, c.value); break;
      case Merge::max: shown = std::max(shown, c.value); break;
      case Merge::last:
        if (c.at_ns >= shown_at_ns) {
          shown = c.value;
          shown_at_ns = c.at_ns;
        }
        break;
    }
  }
  return Scalar{shown};
}

// count, then of each contribution: owner (u64), value (f64), at_ns (i64); owners ascend
void Gauge::save(StateWriter& out) const {
  out.u64(contributions_.size());
  for (const Contribution& c : contributions_) {
    out.u64(c.owner);
    out.f64(c.value);
    out.i64(c.at_ns);
  }
}

void Gauge::load(StateReader& in) {
  constexpr std::size_t kLeast = 1 + sizeof(double) + 1;
  contributions_.assign(in.count(std::numeric_limits<std::size_t>::max(), kLeast), {});
  Owner least = 0;
  for (Contribution& c : contributions_) {
    c = {in.u64(), in.f64(), in.i64()};
    if (c.owner < least || c.owner == std::numeric_limits<Owner>::max() || !std::isfinite(c.value)) in.fail();
    least = c.owner + 1;
  }
}

}  // namespace metricsd
