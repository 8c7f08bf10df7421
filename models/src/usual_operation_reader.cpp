#include "usual_operation_reader.h"

#include "digit_run.h"
#include "json/byte_block.h"
#include "operation_fields.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

namespace metricsd {
namespace {

constexpr std::int64_t kNsPerDay = 86'400 * kNsPerSecond;

// Reads `23:59:59.123456` into nanoseconds. False for anything else, a leap second among it; the character
// behind it is read, too, and may be any.
bool read_time_of_day(const char* text, std::int64_t& ns) {
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

// One pass over one line. at_ is never behind the line's last character, which is a `}` and so no part of a
// key, a value or a comma: what at_ points to may always be read.
class Walk {
 public:
  // `json` has at least kBlock bytes, the last of which is a `}`.
  Walk(std::string_view json, DayCache& days, OperationView& out)
      : at_(json.data()), last_(json.data() + json.size() - 1), days_(days), out_(out) {}

  bool read() {
    if (!take('{')) return false;
    // A turn takes the keys that come in the contract's order. Most lines need one.
    constexpr int kTurns = 4;
    for (int turn = 0; turn < kTurns && !ended_; ++turn) {
      const std::uint32_t before = seen_;
      take_members();
      if (seen_ == before) return false;
    }
    return ended_ && well_ && is_complete();
  }

 private:
  void take_members() {
    using enum Field;
    static_cast<void>(member<operation_id>([this] { return text<operation_id>(out_.operation_id); }) &&
                      member<timestamp_start>([this] { return time(out_.timestamp_start); }) &&
                      member<timestamp_end>([this] { return time(out_.timestamp_end); }) &&
                      member<operation_type>([this] { return operation_type_name(); }) &&
                      member<workload_type>([this] { return type_name(out_.workload_type); }) &&
                      member<object_key>([this] { return text<object_key>(out_.object_key); }) &&
                      member<object_size_bytes>([this] { return whole(out_.object_size_bytes); }) &&
                      member<duration_ms>([this] { return duration(); }) &&
                      member<throughput_mbps>([this] { return number(out_.throughput_mbps); }) &&
                      member<success>([this] { return boolean(); }) &&
                      member<error_code>([this] { return text<error_code>(out_.error_code); }) &&
                      member<error_message>([this] { return text<error_message>(out_.error_message); }) &&
                      member<retry_count>([this] { return whole(out_.retry_count); }) &&
                      member<driver>([this] { return text<driver>(out_.driver); }) &&
                      member<user_id>([this] { return text<user_id>(out_.user_id); }) &&
                      member<metadata>([this] { return metadata_object(); }) &&
                      member<intended_start>([this] { return time(out_.intended_start); }));
  }

  // Takes the member if it is the next. False once the walk has ended, well or not.
  template <Field kField, class TakeValue>
  bool member(const TakeValue& take_value) {
    if (!take_key<kField>()) return true;
    if ((seen_ & bit(kField)) != 0) return end(false);
    seen_ |= bit(kField);
    const bool taken = *at_ == 'n' ? take("null") : take_value();
    if (!taken) return end(false);
    if (take(',')) {
      skip_space();
      return true;
    }
    return end(at_ == last_);
  }
  bool end(bool well) {
    ended_ = true;
    well_ = well;
    return false;
  }

  template <Field kField>
  bool take_key() {
    static constexpr auto kKey = quoted_key<kField>();
    if (!take(std::string_view(kKey.data(), kKey.size()))) return false;
    skip_space();
    return true;
  }
  // `"name":`
  template <Field kField>
  static constexpr auto quoted_key() {
    std::array<char, name_of(kField).size() + 3> key{};
    key[0] = '"';
    std::copy(name_of(kField).begin(), name_of(kField).end(), key.begin() + 1);
    key[key.size() - 2] = '"';
    key[key.size() - 1] = ':';
    return key;
  }

  static constexpr std::uint32_t bit(Field field) { return std::uint32_t{1} << static_cast<unsigned>(field); }
  bool give(Field field) {
    given_ |= bit(field);
    return true;
  }

  // What the fields together must satisfy.
  bool is_complete() {
    constexpr std::uint32_t kRequired = bit(Field::operation_type) | bit(Field::success);
    if ((given_ & kRequired) != kRequired) return false;
    if ((given_ & bit(Field::duration_ms)) != 0) return true;
    if (!out_.timestamp_start || !out_.timestamp_end) return false;
    const auto duration_ns = duration_between(*out_.timestamp_start, *out_.timestamp_end);
    if (duration_ns) out_.duration_ns = *duration_ns;
    return duration_ns.has_value();
  }

  // Bytes from at_ on, with the last `}`.
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(last_ - at_) + 1; }
  void skip_space() {
    if (*at_ == ' ') [[unlikely]]
      ++at_;
  }
  bool take(char c) {
    if (*at_ != c || at_ == last_) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (left() <= word.size() || std::memcmp(at_, word.data(), word.size()) != 0) return false;
    at_ += word.size();
    return true;
  }

  // What `question` says of the block at at_; of bytes past the line's end it says no.
  template <unsigned kQuestion(const char*)>
  [[nodiscard]] unsigned ask() const {
    if (left() >= kBlock) [[likely]]
      return kQuestion(at_);
    return kQuestion(last_ + 1 - kBlock) >> (kBlock - left());
  }
  // Moves on to the next byte that `question` says yes of. False: there is none.
  template <unsigned kQuestion(const char*)>
  bool find() {
    unsigned answer = ask<kQuestion>();
    while (answer == 0) {
      if (left() <= kBlock) return false;
      at_ += kBlock;
      answer = ask<kQuestion>();
    }
    at_ += std::countr_zero(answer);
    return true;
  }

  bool string(std::string_view& into) {
    if (!take('"')) return false;
    const char* const begin = at_;
    if (!find<ByteBlock::ends_plain_text>()) return false;
    if (*at_ != '"' && !pass_text_beyond_ascii(begin)) [[unlikely]]
      return false;
    return end_string(begin, into);
  }
  bool end_string(const char* begin, std::string_view& into) {
    into = {begin, static_cast<std::size_t>(at_ - begin)};
    return take('"');
  }
  // The rest of a string in which something else than plain ASCII was met.
  [[gnu::noinline]] bool pass_text_beyond_ascii(const char* begin) {
    const void* quote = std::memchr(at_, '"', left());
    if (quote == nullptr) return false;
    at_ = static_cast<const char*>(quote);
    const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
    const auto is_plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\\'; };
    return std::all_of(text.begin(), text.end(), is_plain) && is_valid_utf8(text);
  }

  template <Field kField>
  bool text(std::string_view& into) {
    constexpr TextLimits kLimits = text_limits(kField);
    return string(into) && into.size() >= kLimits.min && into.size() <= kLimits.max;
  }
  bool type_name(std::string_view& into) {
    if (!take('"')) return false;
    const char* const begin = at_;
    return find<ByteBlock::ends_type_name>() && end_string(begin, into) && into.size() <= limits::kTypeName;
  }
  bool operation_type_name() {
    return type_name(out_.operation_type) && !out_.operation_type.empty() && give(Field::operation_type);
  }
  bool boolean() {
    out_.success = *at_ == 't';
    return (out_.success ? take("true") : take("false")) && give(Field::success);
  }

  // `2026-01-31T23:59:59.123456` with `Z`, `+00:00` or nothing behind it; other forms by parse_timestamp().
  bool time(std::optional<Timestamp>& into) {
    constexpr std::size_t kFixed = DayCache::kText + 15;
    const char* const begin = at_;
    std::int64_t ns = 0;
    std::int64_t day_ns = 0;
    if (left() <= kFixed + 1 || !read_time_of_day(begin + 1 + DayCache::kText, ns)) return other_time(into);
    if (!take('"') || !days_.find({at_, kFixed}, day_ns)) return false;
    at_ += kFixed;
    if (!take('Z') && *at_ == '+') static_cast<void>(take("+00:00"));
    if (take('"')) {
      into = Timestamp{day_ns + ns};
      return true;
    }
    at_ = begin;
    return other_time(into);
  }
  [[gnu::noinline]] bool other_time(std::optional<Timestamp>& into) {
    std::string_view text;
    if (!string(text)) return false;
    const Result<Timestamp> at = parse_timestamp(text);
    if (at) into = *at;
    return at.has_value();
  }

  // The digits that come next, and moves behind them.
  DigitRun digits() {
    const std::uint64_t characters =
        left() >= kWord ? load_word(at_) : load_word(last_ + 1 - kWord) >> (8 * (kWord - left()));
    const DigitRun run(characters);
    at_ += run.size();
    return run;
  }
  // The digits before the point, at most eight, none but 0 beginning with a 0.
  bool whole_part(std::uint64_t& into) {
    const bool zero = *at_ == '0';
    const DigitRun run = digits();
    if (run.size() == 0 || (zero && run.size() != 1)) return false;
    into = run.value();
    return true;
  }

  bool whole(std::uint64_t& into) {
    const char* const begin = at_;
    if (!whole_part(into)) return false;
    if (static_cast<std::size_t>(at_ - begin) < kWord) return true;
    const DigitRun more = digits();
    if (more.size() != 0) into = into * kPowersOfTen[more.size()] + more.value();
    return into <= limits::kWhole;  // behind sixteen digits a seventeenth is no comma
  }

  // To the nanosecond, half up, as milliseconds_to_ns() has it: the seventh place behind the point decides.
  bool duration() {
    std::uint64_t ms = 0;
    if (!whole_part(ms)) return false;
    std::uint64_t ns = ms * kNsPerMs;
    if (take('.')) {
      DigitRun run = digits();
      if (run.size() == 0) return false;
      ns += (run.filled_value() + 50) / 100;
      for (int more = 0; more < 2 && run.is_full(); ++more) run = digits();
    }
    out_.duration_ns = static_cast<std::int64_t>(ns);
    return give(Field::duration_ms);
  }

  bool number(std::optional<double>& into) {
    const char* const begin = at_;
    std::uint64_t value = 0;
    if (!whole_part(value)) return false;
    const char* const point = at_;
    if (take('.')) {
      DigitRun run = digits();
      if (run.size() == 0) return false;
      value = value * kPowersOfTen[run.size()] + run.value();
      for (int more = 0; more < 2 && run.is_full(); ++more) {
        run = digits();
        if (run.size() != 0) value = value * kPowersOfTen[run.size()] + run.value();
      }
    }
    if (at_ - begin <= 20) {  // with the point; so many digits cannot have overflowed
      const auto places = at_ == point ? 0 : static_cast<unsigned>(at_ - point) - 1;
      into = decimal_fraction(value, places);
    } else {
      std::from_chars(begin, at_, into.emplace());
    }
    return true;
  }

  // An object that already is the compact text that the careful path would make of it.
  bool metadata_object() {
    const char* const begin = at_;
    if (!pass_object(limits::kJsonDepth - 1)) return false;
    const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
    if (text != "{}") out_.metadata = text;
    return true;
  }
  bool pass_object(std::size_t levels) {
    if (levels == 0 || !take('{')) return false;
    if (take('}')) return true;
    std::string_view key;
    do {
      if (!string(key) || !take(':') || !pass_value(levels - 1)) return false;
    } while (take(','));
    return take('}');
  }
  bool pass_array(std::size_t levels) {
    if (levels == 0 || !take('[')) return false;
    if (take(']')) return true;
    do {
      if (!pass_value(levels - 1)) return false;
    } while (take(','));
    return take(']');
  }
  bool pass_value(std::size_t levels) {
    std::string_view text;
    switch (*at_) {
      case '{': return pass_object(levels);
      case '[': return pass_array(levels);
      case '"': return string(text);
      case 't': return take("true");
      case 'f': return take("false");
      case 'n': return take("null");
      default: return pass_number();
    }
  }
  bool pass_number() {
    std::uint64_t value = 0;
    static_cast<void>(take('-'));
    if (!whole_part(value)) return false;
    if (digits().size() == kWord) return false;
    if (!take('.')) return true;
    return digits().size() != 0;
  }

  const char* at_;
  const char* last_;
  DayCache& days_;
  OperationView& out_;
  std::uint32_t seen_ = 0;   // keys met
  std::uint32_t given_ = 0;  // of those that may be required: met with a value
  bool ended_ = false;
  bool well_ = false;  // how it ended
};

}  // namespace

bool DayCache::find(std::string_view text, std::int64_t& day_ns) {
  // Two words that overlap are the eleven characters.
  constexpr std::size_t kSecond = kText - kWord;
  const bool same = load_word(text.data()) == load_word(text_.data()) &&
                    load_word(text.data() + kSecond) == load_word(text_.data() + kSecond);
  if (!same) [[unlikely]] {
    const Result<Timestamp> at = parse_timestamp(text);
    if (!at) return false;
    std::copy_n(text.begin(), kText, text_.begin());
    day_ns_ = at->ns - at->ns % kNsPerDay;
  }
  day_ns = day_ns_;
  return true;
}

bool UsualOperationReader::read(std::string_view json, OperationView& out) {
  if (json.size() < kBlock || json.back() != '}') return false;
  out = OperationView{};
  return Walk(json, days_, out).read();
}

}  // namespace metricsd
