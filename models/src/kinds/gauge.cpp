#include <metricsd/models/kinds/gauge.h>

#include <algorithm>

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

void Gauge::forget(Owner owner) {
  std::erase_if(contributions_, [owner](const Contribution& c) { return c.owner == owner; });
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

void Gauge::save(ByteWriter&) const {}

Result<> Gauge::load(ByteReader&) {
  return {};
}

}  // namespace metricsd
