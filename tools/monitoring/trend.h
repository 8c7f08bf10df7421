// The course of one figure over a whole run, in bounded memory: what a sparkline is drawn of.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace metricsd::tools {

// One thread. Up to kPoints values as they are; beyond that each point is the mean of twice as many.
class Trend {
 public:
  static constexpr std::size_t kPoints = 64;

  void add(double value);
  // The means so far, in order.
  [[nodiscard]] std::vector<double> points() const;

 private:
  struct Mean {
    double sum = 0;
    std::size_t count = 0;
  };

  std::array<Mean, kPoints> means_{};
  std::size_t used_ = 0;
  std::size_t width_ = 1;  // values of a full point
};

// One character of eight heights a point, from 0 to the greatest; "" of fewer than three points. Of more than
// `most` points, a character is the mean of those that fall on it.
[[nodiscard]] std::string sparkline(const std::vector<double>& points, std::size_t most = Trend::kPoints);

}  // namespace metricsd::tools
