#include "log.h"

#include <metricsd/models/json/document.h>

#include <algorithm>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

constexpr Timestamp kAt{1'767'225'600 * kNsPerSecond};

std::string logfmt(std::string_view message, LogFields fields) {
  return render_log_line(LogFormat::logfmt, kAt, LogLevel::info, message, fields);
}

TEST(Log, LogfmtQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(
      logfmt("ready", {{"socket", "/run/x.sock"}, {"count", 3}, {"empty", ""}, {"text", "a b"}}),
      R"(time=2026-01-01T00:00:00.000000Z level=info message=ready socket=/run/x.sock count=3 empty="" text="a b")");
  EXPECT_EQ(logfmt("m", {{"k", R"(say "x=\")"}}),
            R"(time=2026-01-01T00:00:00.000000Z level=info message=m k="say \"x=\\\"")");
}

TEST(Log, JsonIsOneObjectWithNumbersAsNumbers) {
  const std::string line = render_log_line(LogFormat::json, kAt, LogLevel::warning, "refused",
                                           {{"count", 3}, {"field", "a\"b\n"}});
  const auto parsed = parse_json(line);
  ASSERT_TRUE(parsed) << line;
  EXPECT_EQ(parsed->at("level").as_string(), "warning");
  EXPECT_EQ(parsed->at("count").to_number<int>(), 3);
  EXPECT_EQ(parsed->at("field").as_string(), "a\"b\n");
}

// Every byte a peer can send, in both formats: one printable line.
TEST(Log, NoByteOfAPeerBreaksALine) {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  for (const LogFormat format : {LogFormat::logfmt, LogFormat::json}) {
    const std::string line = render_log_line(format, kAt, LogLevel::info, all_bytes, {{"field", all_bytes}});
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) << line;
    if (format == LogFormat::json) {
      EXPECT_TRUE(parse_json(line)) << line;
    }
  }
}

}  // namespace
}  // namespace metricsd::server
