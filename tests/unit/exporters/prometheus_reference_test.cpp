// Our text against prometheus-cpp's of the same snapshot, sample by sample. Known differences of
// prometheus-cpp 1.0.1: it writes 16 significant digits, leaves HELP unescaped and spells NaN "Nan".
#include "snapshots.h"

#include <metricsd/exporters/prometheus_collectable.h>
#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/support/exposition_parser.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace metricsd::exporters {
namespace {

using support::ExpositionFamily;
using support::ExpositionPage;
using support::ExpositionSample;
using support::parse_exposition;

ExpositionPage reference_page(const SnapshotPtr& snapshot) {
  const SnapshotCollectable collectable([&] { return snapshot; });
  std::string text = prometheus::TextSerializer().Serialize(collectable.Collect());
  for (std::size_t at = 0; (at = text.find(" Nan\n", at)) != std::string::npos; ++at)
    text.replace(at, 4, " NaN");
  return parse_exposition(text);
}

ExpositionPage our_page(const SnapshotPtr& snapshot) {
  std::string text;
  render_prometheus_text(text, *snapshot);
  return parse_exposition(text);
}

// Equal within what 16 significant digits carry.
void expect_same_value(double ours, double reference, const std::string& name) {
  if (std::isfinite(ours)) {
    EXPECT_NEAR(ours, reference, std::fabs(ours) * 1e-15) << name;
  } else if (std::isnan(ours)) {
    EXPECT_TRUE(std::isnan(reference)) << name;
  } else {
    EXPECT_EQ(ours, reference) << name;
  }
}

void expect_same_family(const ExpositionFamily& ours, const ExpositionFamily& reference) {
  EXPECT_EQ(ours.name, reference.name);
  EXPECT_EQ(ours.type, reference.type);
  EXPECT_EQ(ours.help, reference.help.value_or(""));  // prometheus-cpp leaves an empty HELP out
  ASSERT_EQ(ours.samples.size(), reference.samples.size()) << ours.name;
  // prometheus-cpp writes _count and _sum first: samples are found by name and labels, not by place.
  std::map<std::pair<std::string, support::ExpositionLabels>, double> values;
  for (const ExpositionSample& sample : reference.samples)
    values[{sample.name, sample.labels}] = sample.value;
  for (const ExpositionSample& sample : ours.samples) {
    const auto found = values.find({sample.name, sample.labels});
    ASSERT_NE(found, values.end()) << sample.name;
    expect_same_value(sample.value, found->second, sample.name);
  }
}

void expect_same(const SnapshotPtr& snapshot) {
  const ExpositionPage ours = our_page(snapshot);
  const ExpositionPage reference = reference_page(snapshot);
  ASSERT_EQ(ours.families.size(), reference.families.size());
  for (std::size_t i = 0; i < ours.families.size(); ++i) {
    expect_same_family(ours.families[i], reference.families[i]);
  }
}

const std::vector<double> kValues{0,
                                  1,
                                  -1,
                                  0.1,
                                  0.1 + 0.2,
                                  1.0 / 3,
                                  1e6,
                                  1048576,
                                  9007199254740991,
                                  1e100,
                                  1e-100,
                                  1e308,
                                  std::numeric_limits<double>::infinity(),
                                  -std::numeric_limits<double>::infinity(),
                                  std::numeric_limits<double>::quiet_NaN()};

TEST(PrometheusReferenceTest, ScalarsOfEveryKindOfNumber) {
  std::vector<HandmadeSeries<Scalar>> gauges;
  std::vector<HandmadeSeries<Scalar>> counters;
  for (const double value : kValues) {
    gauges.push_back(make_series({std::to_string(gauges.size())}, Scalar{value}));
    if (value >= 0 && std::isfinite(value))
      counters.push_back(make_series({std::to_string(counters.size())}, Scalar{value}));
  }
  expect_same(std::make_shared<const Snapshot>(
      Snapshot{{},
               {make_family(make_spec(Kind::gauge, "level", {"n"}), gauges),
                make_family(make_spec(Kind::counter, "sent", {"n"}, "bytes"), counters)}}));
}

TEST(PrometheusReferenceTest, HostileLabels) {
  std::vector<HandmadeSeries<Scalar>> series;
  for (const char* value :
       {"", "plain", "\"", "\\", "\n", "\\n", "a=\"b\",c=\"d\"} 1\n", "\xE2\x82\xAC", "\r", "#"}) {
    series.push_back(make_series({value, "x"}, Scalar{1}));
  }
  expect_same(std::make_shared<const Snapshot>(
      Snapshot{{}, {make_family(make_spec(Kind::counter, "a", {"first", "second"}), series)}}));
}

TEST(PrometheusReferenceTest, InfosAndQuantiles) {
  expect_same(std::make_shared<const Snapshot>(Snapshot{
      {},
      {make_family(make_spec(Kind::gauge, "build", {"version"}), {make_series({"0.1.0"}, Info{})}),
       make_family(make_spec(Kind::gauge, "wait", {"a"}, "seconds"),
                   {make_series({"1"}, Quantiles{{{0, 0.1}, {0.5, 0.2}, {0.999, 7}, {1, 8.5}}, 9, 10.25}),
                    make_series({"2"}, Quantiles{{}, 0, 0})}),
       make_empty_family(make_spec(Kind::gauge, "nobody"))}}));
}

TEST(PrometheusReferenceTest, HistogramsOfRandomCounts) {
  std::mt19937_64 random(20260131);
  std::uniform_int_distribution<std::uint64_t> count(0, 1'000'000);
  std::vector<FamilySnapshot> families;
  for (const auto* bounds : {&default_duration_bounds(), &default_size_bounds()}) {
    std::vector<HandmadeSeries<Buckets>> series;
    for (int i = 0; i < 20; ++i) {
      std::vector<std::uint64_t> counts(bounds->size() + 1);
      for (std::uint64_t& each : counts) each = count(random);
      const double sum = static_cast<double>(count(random)) / 7;
      series.push_back(make_series({std::to_string(i), "s3"}, make_buckets(*bounds, counts, sum)));
    }
    FamilySpec spec = make_spec(Kind::histogram, "h" + std::to_string(families.size()), {"n", "workload"});
    spec.bounds = *bounds;
    families.push_back(make_family(spec, series));
  }
  expect_same(std::make_shared<const Snapshot>(Snapshot{{}, families}));
}

TEST(PrometheusReferenceTest, EachCollectionAsksForTheSnapshotOfItsMoment) {
  int asked = 0;
  const SnapshotCollectable collectable([&] {
    const double value = ++asked;
    return std::make_shared<const Snapshot>(
        Snapshot{{}, {make_family(make_spec(Kind::counter, "a"), {make_series({}, Scalar{value})})}});
  });
  EXPECT_EQ(collectable.Collect().at(0).metric.at(0).counter.value, 1);
  EXPECT_EQ(collectable.Collect().at(0).metric.at(0).counter.value, 2);
}

}  // namespace
}  // namespace metricsd::exporters
