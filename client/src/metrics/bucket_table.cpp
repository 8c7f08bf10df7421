#include "bucket_table.h"

#include <metricsd/models/statistics/exponential_histogram.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace metricsd::client {
namespace {

constexpr int kOctavesBelow = 24;  // the lowest bound: where durations of milliseconds are nanoseconds
constexpr int kExponentBias = std::numeric_limits<double>::max_exponent - 1;
// Of a table's first octave: all that it covers is normal, and no sum of its values overflows.
constexpr int kLeastExponent = std::numeric_limits<double>::min_exponent - 1;
constexpr int kGreatestExponent = 800;
constexpr int kUsualExponent = -14;  // 0.1 ms in seconds: without a bound above 0

int first_exponent(std::span<const double> bounds) {
  const auto lowest = std::find_if(bounds.begin(), bounds.end(), [](double bound) { return bound > 0; });
  const int exponent = lowest == bounds.end() ? kUsualExponent : std::ilogb(*lowest);
  return std::clamp(exponent - kOctavesBelow, kLeastExponent, kGreatestExponent);
}

std::uint64_t first_key_of(int exponent) {
  return static_cast<std::uint64_t>(exponent + kExponentBias) << BucketTable::kKeyBits;
}

// The bounds of both kinds from 2^exponent to kOctaves above it. The lowest value is in the bucket that ends
// with it.
std::vector<double> cuts(std::span<const double> bounds, int exponent) {
  constexpr int kBucketsAnOctave = 1 << BucketTable::kScale;
  const int first = exponent * kBucketsAnOctave;
  std::vector<double> cuts;
  for (int index = first; index <= first + BucketTable::kOctaves * kBucketsAnOctave; ++index) {
    cuts.push_back(ExponentialHistogram::lower_bound(index, BucketTable::kScale));
  }
  const double lowest = cuts.front();
  const double highest = cuts.back();
  std::copy_if(bounds.begin(), bounds.end(), std::back_inserter(cuts),
               [=](double bound) { return lowest < bound && bound < highest; });
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

std::uint32_t position(std::span<const double> ascending, double value) {
  return static_cast<std::uint32_t>(std::lower_bound(ascending.begin(), ascending.end(), value) -
                                    ascending.begin());
}

}  // namespace

BucketTable::BucketTable(std::span<const double> bounds) {
  const int exponent = first_exponent(bounds);
  first_key_ = first_key_of(exponent);
  uppers_ = cuts(bounds, exponent);
  uppers_.insert(uppers_.begin(), 0);
  for (const double upper : uppers_) {
    classic_.push_back(position(bounds, upper));
    exponential_.push_back(upper > 0 ? ExponentialHistogram::index_of(upper, kScale) : 0);
  }
  entries_.reserve(kKeys);
  for (std::uint64_t key = 0; key < kKeys; ++key) entries_.push_back(entry_of(key));
}

std::uint32_t BucketTable::find(double value) const {
  if (value == 0) return kZeroCell;
  if (key_of(value, first_key_) >= kKeys) return kNoCell;
  return position(uppers_, value);
}

BucketTable::Entry BucketTable::entry_of(std::uint64_t key) const {
  const std::uint32_t first = position(uppers_, start_of(key));
  const std::uint32_t last = position(uppers_, std::nextafter(start_of(key + 1), 0));
  if (last == first) return {std::numeric_limits<double>::infinity(), first};
  if (last == first + 1) return {uppers_[first], first};
  return {0, kNoCell};
}

double BucketTable::start_of(std::uint64_t key) const {
  return std::bit_cast<double>((first_key_ + key) << (kFractionBits - kKeyBits));
}

}  // namespace metricsd::client
