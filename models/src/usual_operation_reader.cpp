#include "usual_operation_reader.h"

#include "json/cursor.h"
#include "operation_fields.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/digit_run.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace metricsd {
namespace {

constexpr std::int64_t kNsPerDay = 86'400 * kNsPerSecond;

// Reads `23:59:59.123456` into nanoseconds. False for anything else, a leap second among it; the character
// behind it is read, too, and may be any.
inline bool read_time_of_day(const char* text, std::int64_t& ns) {
  // Taken away what must stand there, colons and the point are 0, and digits at most 29:59:59.999999.
  const std::uint64_t clock = load_word(text) ^ word_of("00:00:00");
  const std::uint64_t fraction = load_word(text + kWord) ^ word_of(std::string_view(".000000\0", kWord));
  constexpr std::uint64_t kTop = 0x8080808080808080;
  // A byte above its most sets its top bit when 0x7F less that most is added, or has it already.
  constexpr std::uint64_t kClock = word_of("\x7D\x76\x7F\x7A\x76\x7F\x7A\x76");
  constexpr std::uint64_t kFraction = word_of(std::string_view("\x7F\x76\x76\x76\x76\x76\x76\0", kWord));
  const std::uint64_t clock_excess = (clock + kClock) | clock;
  const std::uint64_t fraction_excess = ((fraction + kFraction) | fraction) << 8;
  if (((clock_excess | fraction_excess) & kTop) != 0) return false;

  const std::uint64_t pairs = clock * 10 + (clock >> 8);  // of two digits each: bytes 0, 3 and 6
  const std::uint64_t hour = pairs & 0xFF;
  const std::uint64_t seconds = hour * 3600 + (pairs >> 24 & 0xFF) * 60 + (pairs >> 48 & 0xFF);
  const std::uint64_t micros = eight_digits(fraction << 8);
  ns = static_cast<std::int64_t>(seconds * kNsPerSecond + micros * 1000);
  return hour < 24;
}

[[gnu::noinline]] bool read_other_time(std::string_view text, std::optional<Timestamp>& into) {
  const Result<Timestamp> at = parse_timestamp(text);
  if (at) into = *at;
  return at.has_value();
}

// Takes the value of each field. False: it is not of the usual form.
class Values {
 public:
  Values(DayCache& days, bool with_throughput, OperationView& out)
      : days_(days), with_throughput_(with_throughput), out_(out) {}

  template <Field kField>
  bool take(Cursor& cursor) {
    using enum Field;
    if constexpr (kField == operation_id) return text<kField>(cursor, out_.operation_id);
    if constexpr (kField == timestamp_start) return time(cursor, out_.timestamp_start);
    if constexpr (kField == timestamp_end) return time(cursor, out_.timestamp_end);
    if constexpr (kField == operation_type) return type_name(cursor, out_.operation_type, 1);
    if constexpr (kField == workload_type) return type_name(cursor, out_.workload_type, 0);
    if constexpr (kField == object_key) return text<kField>(cursor, out_.object_key);
    if constexpr (kField == object_size_bytes) return whole(cursor, out_.object_size_bytes);
    if constexpr (kField == duration_ms) return milliseconds(cursor, out_.duration_ns);
    if constexpr (kField == throughput_mbps) return throughput(cursor);
    if constexpr (kField == success) return boolean(cursor, out_.success);
    if constexpr (kField == error_code) return text<kField>(cursor, out_.error_code);
    if constexpr (kField == error_message) return text<kField>(cursor, out_.error_message);
    if constexpr (kField == retry_count) return whole(cursor, out_.retry_count);
    if constexpr (kField == driver) return text<kField>(cursor, out_.driver);
    if constexpr (kField == user_id) return text<kField>(cursor, out_.user_id);
    if constexpr (kField == metadata) return object(cursor, out_.metadata);
    if constexpr (kField == intended_start) return time(cursor, out_.intended_start);
  }

 private:
  template <Field kField>
  static bool text(Cursor& cursor, std::string_view& into) {
    constexpr TextLimits kLimits = text_limits(kField);
    return cursor.string(into) && into.size() >= kLimits.min && into.size() <= kLimits.max;
  }
  static bool type_name(Cursor& cursor, std::string_view& into, std::size_t min) {
    if (!cursor.take('"')) return false;
    const char* const begin = cursor.at();
    if (!cursor.find_quote<ByteBlock::not_type_name>()) return false;
    into = cursor.since(begin);
    return cursor.take('"') && into.size() >= min && into.size() <= limits::kTypeName;
  }

  static bool boolean(Cursor& cursor, bool& into) {
    into = cursor.character() == 't';
    return into ? cursor.take("true") : cursor.take("false");
  }

  // `2026-01-31T23:59:59.123456`, with `Z`, `+00:00` or nothing behind it; other forms by parse_timestamp().
  bool time(Cursor& cursor, std::optional<Timestamp>& into) {
    constexpr std::size_t kFixed = DayCache::kText + 15;
    Cursor usual = cursor;
    std::int64_t day_ns = 0;
    std::int64_t ns = 0;
    if ((usual.has_room() || usual.has(kFixed + 3)) && usual.take('"') &&
        read_time_of_day(usual.at() + DayCache::kText, ns) && days_.find(usual.at(), day_ns)) [[likely]] {
      usual.move_to(usual.at() + kFixed);
      if (!usual.take('Z') && usual.character() == '+') static_cast<void>(usual.take("+00:00"));
      if (usual.take('"')) [[likely]] {
        into = Timestamp{day_ns + ns};
        cursor = usual;
        return true;
      }
    }
    std::string_view text;
    return cursor.string(text) && read_other_time(text, into);
  }

  static bool whole(Cursor& cursor, std::uint64_t& into) {
    const char* const begin = cursor.at();
    if (!cursor.integer_part(into)) return false;
    if (cursor.since(begin).size() < kWord) return true;
    const DigitRun more = cursor.digits();
    if (more.size() != 0) into = into * kPowersOfTen[more.size()] + more.value();
    return into <= limits::kWhole;  // a seventeenth digit is not what may follow a value
  }

  // Half up to the nanosecond, as milliseconds_to_ns() has it: the seventh place behind the point decides.
  static bool milliseconds(Cursor& cursor, std::int64_t& into_ns) {
    std::uint64_t ms = 0;
    if (!cursor.integer_part(ms)) return false;
    std::uint64_t ns = ms * kNsPerMs;
    if (cursor.take('.')) {
      DigitRun run = cursor.digits();
      if (run.size() == 0) return false;
      ns += (run.filled_value() + 50) / 100;
      for (int more = 0; more < 2 && run.is_full(); ++more) run = cursor.digits();
    }
    into_ns = static_cast<std::int64_t>(ns);
    return true;
  }

  bool throughput(Cursor& cursor) {
    return with_throughput_ ? number(cursor, out_.throughput_mbps) : cursor.number();
  }

  static bool number(Cursor& cursor, std::optional<double>& into) {
    const char* const begin = cursor.at();
    std::uint64_t value = 0;
    if (!cursor.integer_part(value)) return false;
    const char* const point = cursor.at();
    if (cursor.take('.')) {
      DigitRun run = cursor.digits();
      if (run.size() == 0) return false;
      value = value * kPowersOfTen[run.size()] + run.value();
      for (int more = 0; more < 2 && run.is_full(); ++more) {
        run = cursor.digits();
        if (run.size() != 0) value = value * kPowersOfTen[run.size()] + run.value();
      }
    }
    constexpr std::size_t kFits = 20;  // with the point: so many digits are below 2^64
    if (cursor.since(begin).size() <= kFits) [[likely]] {
      const std::size_t behind = cursor.since(point).size();
      into = decimal_fraction(value, behind == 0 ? 0 : static_cast<unsigned>(behind) - 1);
    } else {
      std::from_chars(begin, cursor.at(), into.emplace());
    }
    return true;
  }

  // One that is compact is, as it stands, what the careful path would make of it.
  static bool object(Cursor& cursor, std::string_view& into) {
    const char* const begin = cursor.at();
    if (!cursor.move_to(end_of_compact_object(cursor, limits::kJsonDepth - 1))) return false;
    const std::string_view text = cursor.since(begin);
    if (text != "{}") into = text;
    return true;
  }

  DayCache& days_;
  const bool with_throughput_;
  OperationView& out_;
};

// What stands between the members of a line: nothing more than must, or a space behind commas and colons.
template <bool kSpaced>
struct Style {
  static constexpr KeyStyle kKeyStyle = kSpaced ? KeyStyle::spaced : KeyStyle::compact;

  static bool take_comma(Cursor& cursor) { return kSpaced ? cursor.take(", ") : cursor.take(','); }
};

using Fields = std::uint32_t;  // a bit for each

constexpr Fields bit(Field field) {
  return Fields{1} << static_cast<unsigned>(field);
}

// How far the members of a line have been taken.
struct Progress {
  Fields seen = 0;
  Fields nulls = 0;
  enum class State { open, ended, failed } state = State::open;
};

// Takes the member if it comes next. False once there is no more to take.
template <class Style, Field kField>
bool take_member(Cursor& cursor, Values& values, Progress& progress) {
  if (!cursor.take<kKey<kField, Style::kKeyStyle>>()) return true;
  progress.seen |= bit(kField);
  const char* const begin = cursor.at();
  if (!values.take<kField>(cursor)) [[unlikely]] {
    cursor.move_to(begin);
    if (!cursor.take("null")) {
      progress.state = Progress::State::failed;
      return false;
    }
    progress.nulls |= bit(kField);
  }
  if (Style::take_comma(cursor)) [[likely]]
    return true;
  progress.state = cursor.character() == '}' ? Progress::State::ended : Progress::State::failed;
  return false;
}

// Takes the members that come in the contract's order.
template <class Style, std::size_t... kFieldIndex>
void take_members(std::index_sequence<kFieldIndex...> /*fields*/, Cursor& cursor, Values& values,
                  Progress& progress) {
  static_cast<void>((take_member<Style, static_cast<Field>(kFieldIndex)>(cursor, values, progress) && ...));
}

// Whether the fields together are an operation.
bool complete(Fields given, OperationView& out) {
  constexpr Fields kRequired = bit(Field::operation_type) | bit(Field::success);
  if ((given & kRequired) != kRequired) return false;
  if ((given & bit(Field::duration_ms)) != 0) return true;
  if (!out.timestamp_start || !out.timestamp_end) return false;
  const auto duration_ns = duration_between(*out.timestamp_start, *out.timestamp_end);
  if (duration_ns) out.duration_ns = *duration_ns;
  return duration_ns.has_value();
}

// The object's closing brace; null where it is not usual. All in one function: see Cursor.
template <class Style>
[[gnu::flatten, gnu::hot, gnu::noinline]] const char* take_object(std::string_view text, DayCache& days,
                                                                  bool with_throughput, OperationView& out) {
  out = OperationView{};
  Cursor cursor(text);
  Values values(days, with_throughput, out);
  if (!cursor.take('{')) return nullptr;
  // Most lines are in the contract's order, and need one turn.
  constexpr int kTurns = 4;
  Fields seen = 0;
  Fields nulls = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    Progress progress;
    take_members<Style>(std::make_index_sequence<kFields>(), cursor, values, progress);
    if (progress.state == Progress::State::failed || (progress.seen & seen) != 0) return nullptr;
    seen |= progress.seen;
    nulls |= progress.nulls;
    if (progress.state == Progress::State::ended) return complete(seen & ~nulls, out) ? cursor.at() : nullptr;
    if (progress.seen == 0) return nullptr;
  }
  return nullptr;
}

bool is_spaced(std::string_view text) {
  const std::string_view first_key = text.substr(0, Cursor::kRoom - 1);
  const std::size_t colon = first_key.find(':');
  return colon != std::string_view::npos && text[colon + 1] == ' ';
}

}  // namespace

bool DayCache::read(const char* text) {
  const Result<Timestamp> at = parse_timestamp({text, kText + kWord});
  if (!at) return false;
  std::copy_n(text, kText, text_.begin());
  day_ns_ = at->ns - at->ns % kNsPerDay;
  return true;
}

bool UsualOperationReader::read(std::string_view json, OperationView& out) {
  if (json.size() < Cursor::kRoom || json.back() != '}') return false;
  return read_object(json, out) == &json.back();
}

std::size_t UsualOperationReader::read_line(std::string_view lines, OperationView& out) {
  if (lines.size() < Cursor::kRoom) return 0;
  const char* end = read_object(lines, out);
  if (end == nullptr) return 0;
  ++end;
  if (*end == '\r') ++end;  // no last byte, either
  return *end == '\n' ? static_cast<std::size_t>(end - lines.data()) + 1 : 0;
}

const char* UsualOperationReader::read_object(std::string_view text, OperationView& out) {
  const char* end = read_in_style(text, out);
  if (end == nullptr && is_spaced(text) != spaced_) {
    spaced_ = !spaced_;
    end = read_in_style(text, out);
  }
  return end;
}

const char* UsualOperationReader::read_in_style(std::string_view text, OperationView& out) {
  return spaced_ ? take_object<Style<true>>(text, days_, with_throughput_, out)
                 : take_object<Style<false>>(text, days_, with_throughput_, out);
}

}  // namespace metricsd
