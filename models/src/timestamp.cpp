#include "timestamp_writer.h"

#include <metricsd/models/digit_run.h>

#include <array>
#include <chrono>
#include <string_view>

namespace metricsd {
namespace {

// Takes characters off the front of a text; once something did not fit, ok() stays false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // Exactly `count` digits, as a number.
  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) return fail();
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  // One character of `allowed`; NUL where there is none.
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos)
      return static_cast<char>(fail());
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // `.` and 1-9 digits as nanoseconds, or nothing.
  std::int64_t fraction_ns() {
    if (rest_.empty() || rest_.front() != '.') return 0;
    rest_.remove_prefix(1);
    std::size_t count = 0;
    std::int64_t value = 0;
    while (count < rest_.size() && is_digit(rest_[count])) {
      if (count == 9) return fail();
      value = value * 10 + (rest_[count++] - '0');
    }
    if (count == 0) return fail();
    rest_.remove_prefix(count);
    for (; count < 9; ++count) value *= 10;
    return value;
  }

  // `Z`, `z`, `+HH:MM`, `-HH:MM` or nothing, as seconds east of UTC.
  int offset_seconds() {
    if (rest_.empty()) return 0;
    const char sign = one_of("Zz+-");
    if (sign == 'Z' || sign == 'z' || sign == '\0') return 0;
    const int hours = digits(2);
    one_of(":");
    const int minutes = digits(2);
    if (hours > 23 || minutes > 59) return fail();
    return (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  }

  [[nodiscard]] bool ok_at_end() const { return ok_ && rest_.empty(); }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// "00" to "99".
constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

char* write_pair(char* out, std::uint64_t value) {
  std::memcpy(out, &kPairs[2 * value], 2);
  return out + 2;
}

std::chrono::sys_days day_of(Timestamp at) {
  using namespace std::chrono;
  return floor<days>(sys_time<nanoseconds>(nanoseconds(at.ns)));
}

}  // namespace

Result<Timestamp> parse_timestamp(std::string_view text) {
  Scanner scanner(text);
  const int year = scanner.digits(4);
  scanner.one_of("-");
  const int month = scanner.digits(2);
  scanner.one_of("-");
  const int day = scanner.digits(2);
  scanner.one_of("Tt ");
  const int hour = scanner.digits(2);
  scanner.one_of(":");
  const int minute = scanner.digits(2);
  scanner.one_of(":");
  int second = scanner.digits(2);
  std::int64_t nanosecond = scanner.fraction_ns();
  const int offset = scanner.offset_seconds();
  if (!scanner.ok_at_end()) return Errc::invalid_timestamp;

  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970 || year > 2261 || hour > 23 || minute > 59 || second > 60) {
    return Errc::invalid_timestamp;
  }
  if (second == 60) {  // a leap second: the last moment before it, so that order holds
    second = 59;
    nanosecond = kNsPerSecond - 1;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + hour * 3600 + minute * 60 + second - offset;
  if (seconds < 0) return Errc::invalid_timestamp;  // an offset that leads before 1970
  return Timestamp{seconds * kNsPerSecond + nanosecond};
}

char* TimestampWriter::write(char* out, Timestamp at) {
  constexpr std::uint64_t kDay = 86'400 * kNsPerSecond;
  // Without a sign, what is before the day is far behind it. Days before 1970 are looked up each time.
  auto ns = static_cast<std::uint64_t>(at.ns) - static_cast<std::uint64_t>(day_ns_);
  if (ns >= kDay || day_ns_ < 0) [[unlikely]] {
    set_day(at);
    ns = static_cast<std::uint64_t>(at.ns - day_ns_);
  }
  const std::uint64_t micros = ns / 1000;
  const std::uint64_t seconds = micros / 1'000'000;
  const std::uint64_t fraction = micros % 1'000'000;
  std::memcpy(out, day_.data(), kDaySize);
  out = write_pair(out + kDaySize, seconds / 3600);
  *out++ = ':';
  out = write_pair(out, seconds / 60 % 60);
  *out++ = ':';
  out = write_pair(out, seconds % 60);
  *out++ = '.';
  out = write_pair(out, fraction / 10'000);
  out = write_pair(out, fraction / 100 % 100);
  out = write_pair(out, fraction % 100);
  *out++ = 'Z';
  return out;
}

void TimestampWriter::set_day(Timestamp at) {
  const std::chrono::sys_days day = day_of(at);
  const std::chrono::year_month_day date(day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  day_ns_ = std::chrono::nanoseconds(day.time_since_epoch()).count();
  char* out = write_pair(day_.data(), year / 100);
  out = write_pair(out, year % 100);
  *out++ = '-';
  out = write_pair(out, static_cast<unsigned>(date.month()));
  *out++ = '-';
  out = write_pair(out, static_cast<unsigned>(date.day()));
  *out = 'T';
}

void append_timestamp(std::string& out, Timestamp at) {
  std::array<char, TimestampWriter::kSize> text;
  TimestampWriter().write(text.data(), at);
  out.append(text.data(), text.size());
}

std::string format_timestamp(Timestamp at) {
  std::string out;
  append_timestamp(out, at);
  return out;
}

std::string format_timestamp_compact(Timestamp at) {
  std::string out = format_timestamp(at);
  out.resize(sizeof("2026-01-31T23:59:59") - 1);
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out + 'Z';
}

}  // namespace metricsd
