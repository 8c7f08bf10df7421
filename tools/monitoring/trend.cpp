#include "trend.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace metricsd::tools {

void Trend::add(double value) {
  if (used_ == kPoints && means_[used_ - 1].count == width_) {
    for (std::size_t i = 0; i < kPoints / 2; ++i) {
      means_[i] = {means_[2 * i].sum + means_[2 * i + 1].sum, 2 * width_};
    }
    used_ = kPoints / 2;
    width_ *= 2;
  }
  if (used_ == 0 || means_[used_ - 1].count == width_) means_[used_++] = {};
  means_[used_ - 1].sum += value;
  ++means_[used_ - 1].count;
}

std::vector<double> Trend::points() const {
  std::vector<double> points;
  points.reserve(used_);
  for (std::size_t i = 0; i < used_; ++i) {
    points.push_back(means_[i].sum / static_cast<double>(means_[i].count));
  }
  return points;
}

namespace {

std::vector<double> at_most(const std::vector<double>& points, std::size_t most) {
  if (points.size() <= most) return points;
  std::vector<double> means;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t begin = i * points.size() / most;
    const std::size_t end = (i + 1) * points.size() / most;
    double sum = 0;
    for (std::size_t point = begin; point < end; ++point) sum += points[point];
    means.push_back(sum / static_cast<double>(end - begin));
  }
  return means;
}

}  // namespace

std::string sparkline(const std::vector<double>& all, std::size_t most) {
  constexpr std::array<std::string_view, 8> kHeights{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::size_t kFewest = 3;
  const std::vector<double> points = at_most(all, most);
  if (points.size() < kFewest) return {};
  const double greatest = *std::max_element(points.begin(), points.end());
  std::string line;
  for (const double point : points) {
    const double height = greatest > 0 ? point / greatest * (kHeights.size() - 1) : 0;
    line += kHeights[static_cast<std::size_t>(std::lround(std::max(height, 0.0)))];
  }
  return line;
}

}  // namespace metricsd::tools
