#include "snapshots.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/support/exposition_parser.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

using support::parse_exposition;

std::string render(std::vector<FamilySnapshot> families) {
  std::string page;
  render_prometheus_text(page, {{}, std::move(families)});
  return page;
}

FamilySpec gauge_spec(LabelNames labels = {}) {
  return make_spec(Kind::gauge, "level", std::move(labels));
}

// The text of the one sample of a gauge of this value.
std::string rendered_value(double value) {
  const std::string page = render({make_family(gauge_spec(), {make_series({}, Scalar{value})})});
  return page.substr(page.rfind("level ") + 6);
}

TEST(PrometheusTextTest, GoldenPage) {
  const std::string page = render({
      make_family(
          make_spec(Kind::histogram, "workload_operation_duration", {"operation", "status"}, "seconds"),
          {make_series({"download", "success"},
                       make_buckets({0.0001, 0.1, 1024, 1048576}, {1, 0, 3, 2, 1}, 2097152.25)),
           make_series({"upload", "failure"},
                       make_buckets({0.0001, 0.1, 1024, 1048576}, {0, 0, 0, 0, 0}, 0))}),
      make_family(make_spec(Kind::counter, "workload_operations", {"operation"}),
                  {make_series({"download"}, Scalar{7}), make_series({"upload"}, Scalar{1e6})}),
      make_family(make_spec(Kind::gauge, "workload_run", {"test_run_id"}), {make_series({"r1"}, Info{})}),
      make_family(make_spec(Kind::gauge, "workload_wait", {}, "seconds"),
                  {make_series({}, Quantiles{{{0.5, 0.25}, {0.99, 1.5}}, 3, 2.5})}),
  });
  EXPECT_EQ(
      page,
      "# HELP workload_operation_duration_seconds Help of workload_operation_duration.\n"
      "# TYPE workload_operation_duration_seconds histogram\n"
      "workload_operation_duration_seconds_bucket{operation=\"download\",status=\"success\",le=\"0.0001\"} "
      "1\n"
      "workload_operation_duration_seconds_bucket{operation=\"download\",status=\"success\",le=\"0.1\"} 1\n"
      "workload_operation_duration_seconds_bucket{operation=\"download\",status=\"success\",le=\"1024\"} 4\n"
      "workload_operation_duration_seconds_bucket{operation=\"download\",status=\"success\",le=\"1048576\"} "
      "6\n"
      "workload_operation_duration_seconds_bucket{operation=\"download\",status=\"success\",le=\"+Inf\"} 7\n"
      "workload_operation_duration_seconds_sum{operation=\"download\",status=\"success\"} 2097152.25\n"
      "workload_operation_duration_seconds_count{operation=\"download\",status=\"success\"} 7\n"
      "workload_operation_duration_seconds_bucket{operation=\"upload\",status=\"failure\",le=\"0.0001\"} 0\n"
      "workload_operation_duration_seconds_bucket{operation=\"upload\",status=\"failure\",le=\"0.1\"} 0\n"
      "workload_operation_duration_seconds_bucket{operation=\"upload\",status=\"failure\",le=\"1024\"} 0\n"
      "workload_operation_duration_seconds_bucket{operation=\"upload\",status=\"failure\",le=\"1048576\"} 0\n"
      "workload_operation_duration_seconds_bucket{operation=\"upload\",status=\"failure\",le=\"+Inf\"} 0\n"
      "workload_operation_duration_seconds_sum{operation=\"upload\",status=\"failure\"} 0\n"
      "workload_operation_duration_seconds_count{operation=\"upload\",status=\"failure\"} 0\n"
      "# HELP workload_operations_total Help of workload_operations.\n"
      "# TYPE workload_operations_total counter\n"
      "workload_operations_total{operation=\"download\"} 7\n"
      "workload_operations_total{operation=\"upload\"} 1000000\n"
      "# HELP workload_run_info Help of workload_run.\n"
      "# TYPE workload_run_info gauge\n"
      "workload_run_info{test_run_id=\"r1\"} 1\n"
      "# HELP workload_wait_seconds Help of workload_wait.\n"
      "# TYPE workload_wait_seconds summary\n"
      "workload_wait_seconds{quantile=\"0.5\"} 0.25\n"
      "workload_wait_seconds{quantile=\"0.99\"} 1.5\n"
      "workload_wait_seconds_sum 2.5\n"
      "workload_wait_seconds_count 3\n");
  EXPECT_EQ(parse_exposition(page).families.size(), 4U);
}

TEST(PrometheusTextTest, AppendsToWhatIsThere) {
  std::string page = "# already\n";
  render_prometheus_text(page, {{}, {make_family(gauge_spec(), {make_series({}, Scalar{1})})}});
  EXPECT_THAT(page, testing::StartsWith("# already\n# HELP level"));
}

TEST(PrometheusTextTest, AFamilyWithoutSeriesIsLeftOut) {
  EXPECT_EQ(render({make_empty_family(gauge_spec())}), "");
}

TEST(PrometheusTextTest, LabelsSurviveTheirEscapes) {
  for (const std::string value :
       {"back\\slash", "\\n", "\n", "\"quoted\"", "a\\\"\n", "\r\t", "caf\xC3\xA9", "", "},"}) {
    const std::string page =
        render({make_family(gauge_spec({"a", "b"}), {make_series({value, "last"}, Scalar{1})})});
    EXPECT_EQ(parse_exposition(page).value("level", {{"a", value}, {"b", "last"}}), 1.0) << value;
  }
}

// Values are copied by words where they are plain: what is special is found wherever it stands in one.
TEST(PrometheusTextTest, LabelsSurviveWhateverTheirLengthAndPlace) {
  for (const std::string special : {"", "\\", "\n", "\"", "\x7F", "\x1F", "\xC3\xA9", "~", " "}) {
    for (std::size_t size = 0; size < 20; ++size) {
      for (std::size_t at = 0; at <= size; ++at) {
        std::string value(size, 'x');
        value.insert(at, special);
        const std::string page = render({make_family(
            gauge_spec({"first", "second", "third"}),
            {make_series({value, "", value}, Scalar{1}), make_series({"", value, "p"}, Scalar{2}),
             make_series({"after", "it", "all"}, Scalar{3})})});
        const auto parsed = parse_exposition(page);
        ASSERT_EQ(parsed.value("level", {{"first", value}, {"second", ""}, {"third", value}}), 1.0) << page;
        ASSERT_EQ(parsed.value("level", {{"first", ""}, {"second", value}, {"third", "p"}}), 2.0) << page;
        ASSERT_EQ(parsed.value("level", {{"first", "after"}, {"second", "it"}, {"third", "all"}}), 3.0)
            << page;
      }
    }
  }
}

TEST(PrometheusTextTest, LongNamesAndValuesAreWhole) {
  const std::string label(200, 'l');
  const std::string value(100'000, 'v');
  const std::string page = render({make_family(make_spec(Kind::histogram, std::string(200, 'n'), {label}),
                                               {make_series({value}, make_buckets({1}, {1, 2}, 3))})});
  EXPECT_EQ(parse_exposition(page).value(std::string(200, 'n') + "_bucket", {{label, value}, {"le", "+Inf"}}),
            3.0);
}

TEST(PrometheusTextTest, HelpSurvivesItsEscapes) {
  FamilySpec spec = gauge_spec();
  spec.help = "two\nlines, a \\ and a \"quote\"";
  const std::string page = render({make_family(spec, {make_series({}, Scalar{1})})});
  EXPECT_EQ(parse_exposition(page).family("level")->help, spec.help);
}

TEST(PrometheusTextTest, BadBytesDoNotBreakThePage) {
  const std::string value("x\xFEy\xC3\0z", 6);
  const std::string page = render({make_family(gauge_spec({"a"}), {make_series({value}, Scalar{1})})});
  const std::string repaired = "x\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBDz";
  EXPECT_EQ(parse_exposition(page).value("level", {{"a", repaired}}), 1.0);
}

TEST(PrometheusTextTest, NumbersArePlainWherePeopleReadThem) {
  EXPECT_EQ(rendered_value(0), "0\n");
  EXPECT_EQ(rendered_value(-0.0), "0\n");
  EXPECT_EQ(rendered_value(-3), "-3\n");
  EXPECT_EQ(rendered_value(0.0001), "0.0001\n");
  EXPECT_EQ(rendered_value(0.0025), "0.0025\n");
  EXPECT_EQ(rendered_value(-0.1), "-0.1\n");
  EXPECT_EQ(rendered_value(1e15), "1000000000000000\n");
  EXPECT_EQ(rendered_value(9007199254740991), "9007199254740991\n");
  EXPECT_EQ(rendered_value(1e22), "1e+22\n");
  EXPECT_EQ(rendered_value(5e-5), "5e-05\n");
  EXPECT_EQ(rendered_value(std::numeric_limits<double>::quiet_NaN()), "NaN\n");
  EXPECT_EQ(rendered_value(std::numeric_limits<double>::infinity()), "+Inf\n");
  EXPECT_EQ(rendered_value(-std::numeric_limits<double>::infinity()), "-Inf\n");
}

TEST(PrometheusTextTest, NumbersReadBackTheSame) {
  constexpr double kMax = std::numeric_limits<double>::max();
  constexpr double kDenormal = std::numeric_limits<double>::denorm_min();
  for (const double value : {0.1 + 0.2, 1.0 / 3, 123456.789, 9007199254740992.0, 1e-4 / 3, kMax, -kMax,
                             kDenormal, std::nextafter(1.0, 2.0), 4503599627370496.5}) {
    const std::string page = render({make_family(gauge_spec(), {make_series({}, Scalar{value})})});
    EXPECT_EQ(parse_exposition(page).value("level"), value);
  }
}

TEST(PrometheusTextTest, CountsBeyondADoubleAreExact) {
  constexpr std::uint64_t kCount = (std::uint64_t{1} << 53) + 1;
  const std::string page = render(
      {make_family(make_spec(Kind::histogram, "h"), {make_series({}, make_buckets({1}, {0, kCount}, 1))})});
  EXPECT_THAT(page, testing::HasSubstr("h_count 9007199254740993\n"));
}

TEST(PrometheusTextTest, SeriesOfOtherBoundsKeepTheirs) {
  const std::string page = render({make_family(make_spec(Kind::histogram, "h", {"a"}),
                                               {make_series({"1"}, make_buckets({1}, {1, 0}, 1)),
                                                make_series({"2"}, make_buckets({2, 3}, {1, 0, 0}, 1))})});
  EXPECT_EQ(parse_exposition(page).value("h_bucket", {{"a", "2"}, {"le", "2"}}), 1.0);
}

}  // namespace
}  // namespace metricsd::exporters
