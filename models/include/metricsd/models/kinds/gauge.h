// Gauge: a value that goes up and down, told by owners.
//
// Each owner (a connection of the daemon, say) has one current value; what the gauge shows is their sum,
// minimum, maximum or latest, as its family says. An owner that goes takes its value with it: then a sum
// shows 0, the others show nothing.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/shapes.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

class Gauge {
 public:
  static constexpr Kind kKind = Kind::gauge;
  using Owner = std::uint64_t;

  explicit Gauge(const std::shared_ptr<const FamilySpec>& spec) : merge_(spec->merge) {}

  // `value` is finite; `at_ns` orders values for Merge::last (monotonic nanoseconds).
  void apply(Owner owner, double value, std::int64_t at_ns);
  // False where it was none of the owners.
  bool forget(Owner owner);

  void merge(const Gauge& other);
  [[nodiscard]] std::optional<Shape> show() const;
  [[nodiscard]] bool is_held() const { return !contributions_.empty(); }

  // With the owners and their values: for who shows what was saved while they are there. Where they are gone
  // only that the gauge existed means something (Registry::merge()).
  void save(StateWriter& out) const;
  // Becomes what was saved; where that cannot be, the reader has failed and the gauge means nothing.
  void load(StateReader& in);

 private:
  struct Contribution {
    Owner owner;
    double value;
    std::int64_t at_ns;
  };

  Merge merge_;
  std::vector<Contribution> contributions_;  // ordered by owner
};

}  // namespace metricsd
