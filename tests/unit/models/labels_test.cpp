#include <metricsd/models/family.h>
#include <metricsd/models/labels.h>

#include <array>
#include <cmath>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(Labels, KnowNamesByTheirRules) {
  EXPECT_TRUE(is_metric_name("a:b_C9"));
  for (const char* name : {"", "9a", "a-b", "a b", "\xC3\xA9"}) EXPECT_FALSE(is_metric_name(name)) << name;
  EXPECT_TRUE(is_label_name("_x9"));
  for (const char* name : {"", "9a", "a:b", "__name__", "__x"}) EXPECT_FALSE(is_label_name(name)) << name;
}

TEST(Labels, KeysTellValuesApart) {
  const auto key = [](std::array<std::string_view, 2> values) {
    std::string out;
    append_series_key(out, values);
    return out;
  };
  EXPECT_NE(key({"ab", "c"}), key({"a", "bc"}));
  EXPECT_NE(key({"", "a"}), key({"a", ""}));
}

FamilySpec histogram(std::vector<double> bounds) {
  FamilySpec spec;
  spec.base_name = "latency";
  spec.unit = "seconds";
  spec.kind = Kind::histogram;
  spec.bounds = std::move(bounds);
  return spec;
}

TEST(Family, ComposesTheNameAScrapeShows) {
  FamilySpec spec = histogram({1});
  EXPECT_EQ(exposition_name(spec), "latency_seconds");
  spec.kind = Kind::counter;
  EXPECT_EQ(exposition_name(spec), "latency_seconds_total");
  EXPECT_EQ(base_name_of("latency_seconds_total", Kind::counter, "seconds"), "latency");
  EXPECT_EQ(base_name_of("requests_total", Kind::counter, ""), "requests");
  EXPECT_EQ(base_name_of("things_total", Kind::gauge, ""), "things_total");
  EXPECT_EQ(base_name_of("seconds", Kind::gauge, "seconds"), "seconds");
}

TEST(Family, RefusesWhatNoScrapeCouldShow) {
  EXPECT_TRUE(validate(histogram({0.1, 1, 10})));
  EXPECT_TRUE(validate(histogram({})));
  EXPECT_FALSE(validate(histogram({1, 1})));
  EXPECT_FALSE(validate(histogram({2, 1})));
  EXPECT_FALSE(validate(histogram({HUGE_VAL})));
  EXPECT_FALSE(validate(histogram(std::vector<double>(201))));
  FamilySpec spec = histogram({1});
  spec.label_names = {"le"};
  EXPECT_FALSE(validate(spec));
  spec.label_names = {"a", "a"};
  EXPECT_FALSE(validate(spec));
  spec.label_names = {"__name__"};
  EXPECT_FALSE(validate(spec));
  spec.label_names = LabelNames(17, "a");
  EXPECT_FALSE(validate(spec));
  spec.label_names = {"a", "b"};
  EXPECT_TRUE(validate(spec));
  spec.help = "\xFF";
  EXPECT_FALSE(validate(spec));
  spec.help.clear();
  spec.base_name = "no spaces";
  EXPECT_FALSE(validate(spec));
  spec.base_name = "x";
  spec.unit = "m/s";
  EXPECT_FALSE(validate(spec));
}

}  // namespace
}  // namespace metricsd
