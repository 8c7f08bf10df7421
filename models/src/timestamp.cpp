#include <metricsd/models/timestamp.h>

#include <array>
#include <charconv>
#include <chrono>

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
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

void append_padded(std::string& out, unsigned value, std::size_t width) {
  std::array<char, 10> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  if (size < width) out.append(width - size, '0');
  out.append(digits.data(), size);
}

struct CivilTime {
  unsigned year, month, day, hour, minute, second, nanosecond;
};

CivilTime civil_time(Timestamp at) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(at.ns)};
  const auto day_start = floor<days>(time);
  const year_month_day date{day_start};
  const hh_mm_ss<nanoseconds> clock{time - day_start};
  return {static_cast<unsigned>(static_cast<int>(date.year())),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count()),
          static_cast<unsigned>(clock.subseconds().count())};
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

void append_timestamp(std::string& out, Timestamp at) {
  const CivilTime t = civil_time(at);
  append_padded(out, t.year, 4);
  out += '-';
  append_padded(out, t.month, 2);
  out += '-';
  append_padded(out, t.day, 2);
  out += 'T';
  append_padded(out, t.hour, 2);
  out += ':';
  append_padded(out, t.minute, 2);
  out += ':';
  append_padded(out, t.second, 2);
  out += '.';
  append_padded(out, t.nanosecond / 1000, 6);
  out += 'Z';
}

std::string format_timestamp(Timestamp at) {
  std::string out;
  append_timestamp(out, at);
  return out;
}

std::string format_timestamp_compact(Timestamp at) {
  const CivilTime t = civil_time(at);
  std::string out;
  append_padded(out, t.year, 4);
  append_padded(out, t.month, 2);
  append_padded(out, t.day, 2);
  out += 'T';
  append_padded(out, t.hour, 2);
  append_padded(out, t.minute, 2);
  append_padded(out, t.second, 2);
  out += 'Z';
  return out;
}

}  // namespace metricsd
