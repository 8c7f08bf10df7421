// The logical event that every peer is told: one timed operation with its labels, its success and its size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace metricsd::load {

struct LabelSet {
  std::string_view operation;
  std::string_view workload;
  std::string_view driver;
};

// As many as a test of an object store has: with both outcomes, twelve series of each metric.
inline constexpr std::array<LabelSet, 6> kLabelSets{{{"upload", "s3", "rest"},
                                                     {"download", "s3", "rest"},
                                                     {"delete", "s3", "rest"},
                                                     {"list", "s3", "rest"},
                                                     {"read", "rbd", "librbd"},
                                                     {"write", "rbd", "librbd"}}};

struct Event {
  std::size_t label_set = 0;  // index into kLabelSets
  bool success = true;
  std::int64_t duration_ns = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] const LabelSet& labels() const { return kLabelSets[label_set]; }
  [[nodiscard]] std::string_view status() const { return success ? "success" : "failure"; }
  // One number for each series, below kSeries.
  [[nodiscard]] std::size_t series() const { return label_set * 2 + (success ? 0 : 1); }
};
inline constexpr std::size_t kSeries = kLabelSets.size() * 2;

// The same events in every run: durations from 50 us to 0.5 s and sizes from 4 KiB to 4 MiB, both even over
// their powers of two; one event of sixteen has failed. Each series occurs where `count` is 256 or more.
[[nodiscard]] std::vector<Event> make_events(std::size_t count);

}  // namespace metricsd::load
