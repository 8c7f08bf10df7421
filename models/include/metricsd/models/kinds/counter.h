// Counter: a sum that never falls.
//
// Whole numbers are kept in 64 bits, so that adding 1 still counts beyond 2^53; fractions are summed beside
// them.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/shapes.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace metricsd {

class StateReader;
class StateWriter;

class Counter {
 public:
  static constexpr Kind kKind = Kind::counter;

  explicit Counter(const std::shared_ptr<const FamilySpec>&) {}

  // Saturates at 2^64 - 1.
  void apply(std::uint64_t delta);
  // `delta` is finite and >= 0.
  void apply(double delta);

  void merge(const Counter& other);
  [[nodiscard]] std::optional<Shape> show() const { return Scalar{value()}; }
  // Whether someone who is still there stands behind the value: then the series does not expire.
  [[nodiscard]] bool is_held() const { return false; }
  [[nodiscard]] double value() const { return static_cast<double>(whole_) + fraction_; }

  void save(StateWriter& out) const;
  // Becomes what was saved; where that cannot be, the reader has failed and the counter means nothing.
  void load(StateReader& in);

 private:
  std::uint64_t whole_ = 0;
  double fraction_ = 0;  // 0 <= fraction_ < 1
};

}  // namespace metricsd
