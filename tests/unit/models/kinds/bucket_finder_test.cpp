#include <metricsd/models/family.h>
#include <metricsd/models/kinds/bucket_finder.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

void expect_found(const BucketFinder& finder, const std::vector<double>& bounds, double value) {
  const auto classic = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  const BucketPlace place = finder.find(value);
  ASSERT_EQ(place.classic, static_cast<std::uint32_t>(classic)) << value;
  ASSERT_EQ(place.fine, value == 0 ? FineIndex::kZero : FineIndex::table().of(value)) << value;
}

void expect_all_found(const std::vector<double>& bounds, double least, double greatest) {
  const BucketFinder finder(bounds, least, greatest);
  std::vector<double> values{0, least, greatest, 1};
  for (const double bound : bounds) {
    if (bound <= 0) continue;
    values.insert(values.end(), {bound, std::nextafter(bound, 0.0), std::nextafter(bound, HUGE_VAL)});
  }
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> magnitude(std::log(least) - 5, std::log(greatest) + 5);
  for (int i = 0; i < 20'000; ++i) values.push_back(std::exp(magnitude(random)));
  for (const double value : values) expect_found(finder, bounds, value);
}

TEST(BucketFinder, FindsWhatASearchFinds) {
  expect_all_found(default_duration_bounds(), 1e-9, 1e6);
  expect_all_found(default_size_bounds(), 1, 9e15);
  expect_all_found({}, 1, 10);
  expect_all_found({-3, -1, 0, 5}, 1, 10);
}

TEST(BucketFinder, ManyBoundsMayLieInOneFineBucket) {
  std::vector<double> bounds;
  for (int i = 0; i < 200; ++i) bounds.push_back(1 + i * 1e-6);
  expect_all_found(bounds, 0.5, 2);
}

TEST(BucketFinder, EveryWholeNanosecondAroundABoundIsOnItsSide) {
  const std::vector<double>& bounds = default_duration_bounds();
  const BucketFinder finder(bounds, 1e-9, 1e6);
  for (const double bound : bounds) {
    const auto ns = static_cast<std::int64_t>(bound * 1e9);
    for (std::int64_t near = ns - 3; near <= ns + 3; ++near) {
      expect_found(finder, bounds, static_cast<double>(near) / 1e9);
    }
  }
}

}  // namespace
}  // namespace metricsd
