// append_operation_json() against the plain way to write the same.

#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::string printed(const char* format, auto... values) {
  std::array<char, 128> text{};
  const int size = std::snprintf(text.data(), text.size(), format, values...);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string plain_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    const std::size_t place = kShort.find(c);
    if (place != std::string_view::npos) {
      out += std::string("\\") + kLetters[place];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += printed("\\u%04x", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string plain_time(Timestamp at) {
  const std::time_t seconds = at.ns / kNsPerSecond;
  std::tm civil{};
  ::gmtime_r(&seconds, &civil);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &civil);
  return '"' + std::string(text.data(), size) +
         printed(".%06lldZ", static_cast<long long>(at.ns % kNsPerSecond / 1000)) + '"';
}

std::string plain_milliseconds(std::int64_t ns) {
  std::string out =
      printed("%lld.%06lld", static_cast<long long>(ns / kNsPerMs), static_cast<long long>(ns % kNsPerMs));
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

std::string plain_number(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string plain_json(const OperationMetric& operation) {
  std::string out;
  const auto add = [&out](std::string_view key, const std::string& value) {
    out += (out.empty() ? "{\"" : ",\"") + std::string(key) + "\":" + value;
  };
  const auto text = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) add(key, plain_string(value));
  };
  const auto time = [&](std::string_view key, const std::optional<Timestamp>& value) {
    if (value) add(key, plain_time(*value));
  };
  text("operation_id", operation.operation_id);
  time("timestamp_start", operation.timestamp_start);
  time("timestamp_end", operation.timestamp_end);
  text("operation_type", operation.operation_type);
  text("workload_type", operation.workload_type);
  text("object_key", operation.object_key);
  add("object_size_bytes", std::to_string(operation.object_size_bytes));
  add("duration_ms", plain_milliseconds(operation.duration_ns));
  if (operation.throughput_mbps) add("throughput_mbps", plain_number(*operation.throughput_mbps));
  add("success", operation.success ? "true" : "false");
  text("error_code", operation.error_code);
  text("error_message", operation.error_message);
  if (operation.retry_count != 0) add("retry_count", std::to_string(operation.retry_count));
  text("driver", operation.driver);
  text("user_id", operation.user_id);
  if (!operation.metadata.empty()) add("metadata", operation.metadata);
  time("intended_start", operation.intended_start);
  return out + '}';
}

void expect_as_plain(const OperationMetric& operation) {
  std::string out = "before ";
  append_operation_json(out, operation);
  ASSERT_EQ(out, "before " + plain_json(operation));
}

TEST(OperationWriter, WritesAnyTextAtAnyLength) {
  OperationMetric operation;
  for (std::size_t size = 0; size < 70; ++size) {
    operation.object_key = std::string(size, 'k');
    expect_as_plain(operation);
    for (std::size_t i = 0; i < size; ++i) {
      for (const char c : {'\0', '\n', '\x1F', ' ', '"', '\\', '\x7F', '\x80', '\xFF'}) {
        operation.object_key[i] = c;
        expect_as_plain(operation);
      }
      operation.object_key[i] = 'k';
    }
  }
}

TEST(OperationWriter, WritesTextsLongerThanItsBuffer) {
  OperationMetric operation;
  operation.object_key = std::string(limits::kObjectKey, 'k');
  operation.error_message = std::string(limits::kErrorMessage, '\x01');
  operation.metadata = R"({"a":")" + std::string(limits::kRecordedMetadata, 'm') + "\"}";
  expect_as_plain(operation);
}

class Operations {
 public:
  OperationMetric next() {
    OperationMetric operation;
    for (std::string* text :
         {&operation.operation_id, &operation.operation_type, &operation.workload_type, &operation.object_key,
          &operation.error_code, &operation.error_message, &operation.driver, &operation.user_id}) {
      *text = text_of(below(2) * below(40));
    }
    for (std::optional<Timestamp>* at :
         {&operation.timestamp_start, &operation.timestamp_end, &operation.intended_start}) {
      if (below(2) == 0) *at = time();
    }
    operation.object_size_bytes = random_() >> below(64);
    operation.duration_ns = static_cast<std::int64_t>(below(limits::kDurationNs) >> below(50));
    if (below(4) == 0) operation.duration_ns -= operation.duration_ns % kNsPerMs;
    if (below(2) == 0) operation.throughput_mbps = number();
    operation.success = below(2) == 0;
    operation.retry_count = below(3) * (random_() >> below(64));
    if (below(4) == 0) operation.metadata = R"({"k":[1,{}]})";
    return operation;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::string text_of(std::size_t size) {
    std::string text(size, 'x');
    for (char& c : text) c = static_cast<char>(below(20) == 0 ? below(256) : ' ' + below(95));
    return text;
  }
  Timestamp time() {
    constexpr std::int64_t kEnd = 9'214'646'400 * kNsPerSecond;  // of 2261
    if (below(4) == 0) last_ = static_cast<std::int64_t>(below(kEnd));
    last_ = std::clamp<std::int64_t>(
        last_ + static_cast<std::int64_t>(below(2 * kNsPerSecond)) - kNsPerSecond, 0, kEnd - 1);
    if (below(50) == 0) last_ -= last_ % (86'400 * kNsPerSecond);
    return {last_};
  }
  double number() {
    if (below(2) == 0) return static_cast<double>(below(1'000'000)) / 1024;
    const double value = std::bit_cast<double>(random_() & (std::numeric_limits<std::uint64_t>::max() >> 1));
    return std::isfinite(value) ? value : 0.1;
  }

  std::mt19937_64 random_{1};
  std::int64_t last_ = 1'769'900'000 * kNsPerSecond;
};

TEST(OperationWriter, WritesWhatThePlainWayWrites) {
  Operations operations;
  for (int i = 0; i < 20'000; ++i) ASSERT_NO_FATAL_FAILURE(expect_as_plain(operations.next()));
}

TEST(OperationWriter, SaysNullForWhatJsonCannotSay) {
  OperationMetric operation;
  operation.throughput_mbps = std::numeric_limits<double>::infinity();
  std::string out;
  append_operation_json(out, operation);
  EXPECT_EQ(out, R"({"object_size_bytes":0,"duration_ms":0,"throughput_mbps":null,"success":true})");
}

}  // namespace
}  // namespace metricsd
