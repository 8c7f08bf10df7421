// The referee of every scrape is itself tested: each wrong page differs from a right one in one thing.
#include <metricsd/support/exposition_parser.h>

#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

std::string error_of(std::string_view text) {
  try {
    (void)parse_exposition(text);
  } catch (const ExpositionError& error) {
    return error.what();
  }
  return "";
}

TEST(ExpositionParserTest, ReadsAWholePage) {
  const ExpositionPage page = parse_exposition(
      "# a comment, then an empty line\n"
      "\n"
      "# HELP requests_total All\\nof \\\\ them.\n"
      "# TYPE requests_total counter\n"
      "requests_total{a=\"x\\\\\\\"\\ny\",b=\"\"} 3\n"
      "requests_total{a=\"z\",b=\"\",} 4.5e3 1767225600000\n"
      "# TYPE latency histogram\n"
      "latency_bucket{le=\"0.1\"} 1\n"
      "latency_bucket{le=\"+Inf\"} 2\n"
      "latency_sum 1.5\n"
      "latency_count 2\n"
      "# TYPE odd gauge\n"
      "odd{n=\"1\"} NaN\n"
      "odd{n=\"2\"} -Inf\n"
      "# TYPE quick summary\n"
      "quick{quantile=\"0.5\"} 1\n"
      "quick_sum 1\n"
      "quick_count 1\n");
  ASSERT_EQ(page.families.size(), 4U);
  EXPECT_EQ(page.family("requests_total")->help, "All\nof \\ them.");
  EXPECT_EQ(page.family("latency")->type, "histogram");
  EXPECT_EQ(page.value("requests_total", {{"a", "x\\\"\ny"}, {"b", ""}}), 3.0);
  EXPECT_EQ(page.sum("requests_total", {{"b", ""}}), 4503.0);
  EXPECT_EQ(page.family("requests_total")->samples[1].timestamp_ms, 1'767'225'600'000);
  EXPECT_TRUE(std::isnan(*page.value("odd", {{"n", "1"}})));
  EXPECT_EQ(page.value("nothing"), std::nullopt);
}

TEST(ExpositionParserTest, ReadsEveryFormOfNumber) {
  for (const auto& [text, value] :
       {std::pair{"0", 0.0}, std::pair{"-0", 0.0}, std::pair{"-1.5", -1.5}, std::pair{"1e3", 1000.0},
        std::pair{"1.5E-3", 0.0015}, std::pair{"2e+06", 2e6}, std::pair{"00.5", 0.5}}) {
    EXPECT_EQ(parse_exposition("# TYPE a gauge\na " + std::string(text) + "\n").value("a"), value) << text;
  }
}

TEST(ExpositionParserTest, TakesUtf8OfEverySize) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xED\x9F\xBF\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF";
  const ExpositionPage page = parse_exposition("# TYPE a gauge\na{b=\"" + text + "\"} 1\n");
  EXPECT_EQ(page.value("a", {{"b", text}}), 1.0);
}

TEST(ExpositionParserTest, AnEmptyPageIsAPage) {
  EXPECT_TRUE(parse_exposition("").families.empty());
}

struct WrongPage {
  const char* name;
  const char* text;
  const char* error;
};

class ExpositionParserRefusal : public testing::TestWithParam<WrongPage> {};

TEST_P(ExpositionParserRefusal, SaysWhat) {
  EXPECT_THAT(error_of(GetParam().text), testing::HasSubstr(GetParam().error));
}

constexpr WrongPage kWrongPages[] = {
    {"NoFinalNewline", "# TYPE a gauge\na 1", "no newline at the end"},
    {"NoType", "a 1\n", "a sample without a TYPE"},
    {"HelpAlone", "# HELP a b\na 1\n", "a sample without a TYPE"},
    {"HelpOfAnother", "# HELP a b\n# TYPE c gauge\nc 1\n", "no TYPE"},
    {"TypeTwice", "# TYPE a gauge\n# TYPE a gauge\na 1\n", "TYPE twice"},
    {"HelpTwice", "# HELP a b\n# HELP a b\n# TYPE a gauge\n", "HELP twice"},
    {"TypeBehindSamples", "# TYPE a gauge\na 1\n# TYPE a gauge\n", "TYPE twice"},
    {"HelpBehindType", "# TYPE a gauge\n# HELP a b\na 1\n", "HELP behind its TYPE"},
    {"HelpBehindSamples", "# TYPE a gauge\na 1\n# HELP a b\n", "HELP behind its TYPE"},
    {"HelpWithoutASpace", "#HELP a b\n", "not written as one"},
    {"HelpOfNothing", "# HELP\n", "not written as one"},
    {"HelpWithoutAText", "# HELP a\n", "expected ' '"},
    {"TypeBehindATab", "#\tTYPE a gauge\na 1\n", "not written as one"},
    {"TypeWithTwoSpaces", "# TYPE  a gauge\na 1\n", "is no metric name"},
    {"TypeWithASpaceBehind", "# TYPE a gauge \na 1\n", "is no type"},
    {"TypeInCapitals", "# TYPE a Gauge\na 1\n", "is no type"},
    {"TypeOfOpenMetrics", "# TYPE a info\na 1\n", "is no type"},
    {"UnknownType", "# TYPE a number\na 1\n", "is no type"},
    {"TwoPlaces", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n", "in two places"},
    {"SampleOfAnother", "# TYPE a gauge\nb 1\n", "stands among"},
    {"SuffixOfAGauge", "# TYPE a gauge\na_count 1\n", "stands among"},
    {"NameOfTwoFamilies", "# TYPE a summary\n# TYPE a_count gauge\n", "belongs to two families"},
    {"SumOfACounter", "# TYPE a counter\na_sum 1\n", "stands among"},
    {"BucketOfASummary", "# TYPE a summary\na_bucket{le=\"1\"} 1\n", "stands among"},
    {"MetricName", "# TYPE a gauge\n1a 1\n", "is no metric name"},
    {"MetricNameWithADash", "# TYPE a-b gauge\n", "is no metric name"},
    {"MetricNameBeyondAscii", "# TYPE a\xC3\xA4 gauge\n", "is no metric name"},
    {"NoMetricName", "# TYPE a gauge\n{b=\"1\"} 1\n", "is no metric name"},
    {"SpaceBeforeAName", "# TYPE a gauge\n a 1\n", "is no metric name"},
    {"LabelName", "# TYPE a gauge\na{b-c=\"1\"} 1\n", "is no label name"},
    {"ReservedLabelName", "# TYPE a gauge\na{__name__=\"1\"} 1\n", "is no label name"},
    {"LabelNameWithAColon", "# TYPE a gauge\na{b:c=\"1\"} 1\n", "is no label name"},
    {"LabelNameWithADigitInFront", "# TYPE a gauge\na{1b=\"1\"} 1\n", "is no label name"},
    {"NoLabelName", "# TYPE a gauge\na{=\"1\"} 1\n", "is no label name"},
    {"OnlyAComma", "# TYPE a gauge\na{,} 1\n", "is no label name"},
    {"TwoCommas", "# TYPE a gauge\na{b=\"1\",,} 1\n", "is no label name"},
    {"SpaceBetweenLabels", "# TYPE a gauge\na{b=\"1\", c=\"2\"} 1\n", "is no label name"},
    {"SpaceAroundEquals", "# TYPE a gauge\na{b =\"1\"} 1\n", "expected"},
    {"SingleQuotes", "# TYPE a gauge\na{b='1'} 1\n", "expected"},
    {"LabelsTwice", "# TYPE a gauge\na{b=\"1\"}{c=\"1\"} 1\n", "expected ' '"},
    {"OpenLabels", "# TYPE a gauge\na{b=\"1\" 1\n", "expected ','"},
    {"LabelTwice", "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n", "twice"},
    {"Unquoted", "# TYPE a gauge\na{b=1} 1\n", "expected"},
    {"OpenQuote", "# TYPE a gauge\na{b=\"1} 1\n", "closing quote"},
    {"RawNewline", "# TYPE a gauge\na{b=\"1\n2\"} 1\n", "closing quote"},
    {"Escape", "# TYPE a gauge\na{b=\"\\t\"} 1\n", "an escape"},
    {"EscapeAtTheEnd", "# TYPE a gauge\na{b=\"1\\", "no newline"},
    {"EscapeOfTheClosingQuote", "# TYPE a gauge\na{b=\"1\\\"} 1\n", "closing quote"},
    {"EscapeInCapitals", "# TYPE a gauge\na{b=\"\\N\"} 1\n", "an escape"},
    {"EscapeOfUnicode", "# TYPE a gauge\na{b=\"\\u0041\"} 1\n", "an escape"},
    {"BackslashAtTheEndOfHelp", "# HELP a b\\\n# TYPE a gauge\n", "an escape"},
    {"QuoteEscapedInHelp", "# HELP a \\\"\n", "an escape"},
    {"NoComma", "# TYPE a gauge\na{b=\"1\"c=\"2\"} 1\n", "expected ','"},
    {"NoValue", "# TYPE a gauge\na\n", "expected ' '"},
    {"ValueOfLetters", "# TYPE a gauge\na one\n", "is no value"},
    {"PrometheusCppNan", "# TYPE a gauge\na Nan\n", "is no value"},
    {"LowerCaseInf", "# TYPE a gauge\na inf\n", "is no value"},
    {"Hexadecimal", "# TYPE a gauge\na 0x10\n", "is no value"},
    {"PlusInFront", "# TYPE a gauge\na +1\n", "is no value"},
    {"PointInFront", "# TYPE a gauge\na .5\n", "is no value"},
    {"PointAtTheEnd", "# TYPE a gauge\na 5.\n", "is no value"},
    {"CommaForAPoint", "# TYPE a gauge\na 1,5\n", "is no value"},
    {"OpenExponent", "# TYPE a gauge\na 1e\n", "is no value"},
    {"Underscores", "# TYPE a gauge\na 1_000\n", "is no value"},
    {"TooLargeForADouble", "# TYPE a gauge\na 1e400\n", "is no value"},
    {"InfWithoutASign", "# TYPE a gauge\na Inf\n", "is no value"},
    {"LowerCaseNan", "# TYPE a gauge\na nan\n", "is no value"},
    {"EmptyValue", "# TYPE a gauge\na \n", "is no value"},
    {"TabBeforeTheValue", "# TYPE a gauge\na\t1\n", "is no metric name"},
    {"SpaceBehindTheValue", "# TYPE a gauge\na 1 \n", "is no timestamp"},
    {"TwoSpaces", "# TYPE a gauge\na  1\n", "is no value"},
    {"Timestamp", "# TYPE a gauge\na 1 now\n", "is no timestamp"},
    {"TimestampInSeconds", "# TYPE a gauge\na 1 1767225600.5\n", "is no timestamp"},
    {"TimestampTooLarge", "# TYPE a gauge\na 1 9223372036854775808\n", "is no timestamp"},
    {"TwoTimestamps", "# TYPE a gauge\na 1 1 1\n", "is no timestamp"},
    {"ExemplarOfOpenMetrics", "# TYPE a gauge\na 1 # {b=\"1\"} 1\n", "is no timestamp"},
    {"CarriageReturn", "# TYPE a gauge\na 1\r\n", "is no value"},
    {"SeriesTwice", "# TYPE a gauge\na{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 1\n", "is here already"},
    {"SeriesTwiceByAnEmptyLabel", "# TYPE a gauge\na{b=\"\"} 1\na 1\n", "is here already"},
    {"SeriesTwiceAtTwoTimes", "# TYPE a gauge\na 1 1\na 1 2\n", "is here already"},
    {"NegativeCounter", "# TYPE a counter\na -1\n", "not 0 or more"},
    {"NanCounter", "# TYPE a counter\na NaN\n", "not 0 or more"},
    {"EndlessCounter", "# TYPE a counter\na +Inf\n", "not 0 or more"},
    {"NotUtf8", "# TYPE a gauge\na{b=\"\xFF\"} 1\n", "not UTF-8"},
    {"CutUtf8", "# TYPE a gauge\na{b=\"\xE2\x82\"} 1\n", "not UTF-8"},
    {"LongUtf8", "# TYPE a gauge\na{b=\"\xC0\x80\"} 1\n", "not UTF-8"},
    {"Surrogate", "# TYPE a gauge\na{b=\"\xED\xA0\x80\"} 1\n", "not UTF-8"},
    {"BeyondUnicode", "# TYPE a gauge\na{b=\"\xF4\x90\x80\x80\"} 1\n", "not UTF-8"},
    {"ByteOrderMark", "\xEF\xBB\xBF# TYPE a gauge\n", "is no metric name"},
    {"NoLe", "# TYPE a histogram\na_bucket 1\n", "without label 'le'"},
    {"EmptyLe", "# TYPE a histogram\na_bucket{le=\"\"} 1\n", "is no value"},
    {"NanLe", "# TYPE a histogram\na_bucket{le=\"NaN\"} 1\n", "is no bound"},
    {"InfLeWithoutASign", "# TYPE a histogram\na_bucket{le=\"Inf\"} 1\n", "is no value"},
    {"BareHistogram", "# TYPE a histogram\na{le=\"1\"} 1\n", "stands among"},
    {"LeOfLetters", "# TYPE a histogram\na_bucket{le=\"x\"} 1\n", "is no value"},
    {"LeOnSum", "# TYPE a histogram\na_sum{le=\"1\"} 1\n", "label 'le' on"},
    {"NotAscending", "# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n", "do not ascend"},
    {"BoundTwice", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"1.0\"} 1\n", "do not ascend"},
    {"BoundBehindInf", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_bucket{le=\"1\"} 1\n",
     "do not ascend"},
    {"NotCumulative", "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"2\"} 1\n", "not cumulative"},
    {"HalfACount", "# TYPE a histogram\na_bucket{le=\"1\"} 0.5\n", "a count that is none"},
    {"NegativeBucket", "# TYPE a histogram\na_bucket{le=\"1\"} -1\n", "a count that is none"},
    {"NanCount", "# TYPE a summary\na_count NaN\n", "a count that is none"},
    {"SumOfNothing", "# TYPE a summary\na_sum 1\na_count 0\n", "a sum of nothing"},
    {"NoInf", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n", "no +Inf bucket"},
    {"NoCount", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n", "no _count"},
    {"NoSum", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n", "no _sum"},
    {"CountIsNotInf", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n", "is not _count"},
    {"OneSeriesWithoutInf",
     "# TYPE a histogram\na_bucket{b=\"1\",le=\"+Inf\"} 1\na_sum{b=\"1\"} 1\na_count{b=\"1\"} 1\n"
     "a_sum{b=\"2\"} 1\na_count{b=\"2\"} 0\n",
     "no +Inf bucket"},
    {"Quantile", "# TYPE a summary\na{quantile=\"1.5\"} 1\n", "outside 0..1"},
    {"QuantileNotAscending", "# TYPE a summary\na{quantile=\"0.9\"} 1\na{quantile=\"0.5\"} 1\n",
     "quantiles that do not ascend"},
    {"QuantileOnCount", "# TYPE a summary\na_count{quantile=\"0.5\"} 1\n", "label 'quantile' on"},
    {"SummaryWithoutCount", "# TYPE a summary\na{quantile=\"0.5\"} 1\na_sum 1\n", "no _count"},
    {"SummaryWithoutSum", "# TYPE a summary\na{quantile=\"0.5\"} 1\na_count 1\n", "no _sum"},
    {"NoQuantile", "# TYPE a summary\na 1\n", "without label 'quantile'"},
};

INSTANTIATE_TEST_SUITE_P(Pages, ExpositionParserRefusal, testing::ValuesIn(kWrongPages),
                         [](const auto& page) { return std::string(page.param.name); });

TEST(ExpositionParserTest, RefusesNul) {
  const std::string page = "# TYPE a gauge\na{b=\"" + std::string(1, '\0') + "\"} 1\n";
  EXPECT_THAT(error_of(page), testing::HasSubstr("NUL"));
}

TEST(ExpositionParserTest, NamesTheLine) {
  EXPECT_THAT(error_of("# TYPE a gauge\na 1\nb 1\n"), testing::StartsWith("line 3: "));
}

}  // namespace
}  // namespace metricsd::support
