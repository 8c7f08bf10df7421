// OperationReader has a fast path. This shows that nobody can tell: over lines made and spoilt in every way
// that came to mind, it gives the same answer as the careful path alone.
//
// support/fuzz_cases.h says how it runs longer and elsewhere.

#include "careful_operation_reader.h"
#include "usual_operation_reader.h"

#include <metricsd/models/operation_json.h>
#include <metricsd/support/exact_text.h>
#include <metricsd/support/fuzz_cases.h>
#include <metricsd/support/operation_text.h>
#include <metricsd/support/sanitized.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using support::answer_of;
using support::ExactText;
using support::fuzz_cases;
using support::fuzz_seed;
using support::text_of;
using support::text_without_throughput;

// Both ways, each with one reader for all lines: what one line leaves behind must not show in the next.
class Comparison {
 public:
  void check(std::string_view text) {
    const ExactText line(text);
    ++lines_;
    const std::string careful = answer_of(careful_, line.view());
    ASSERT_EQ(answer_of(both_, line.view()), careful) << text;
    ASSERT_EQ(answer_of(both_less_, line.view()), answer_of(careful_, line.view(), text_without_throughput))
        << text;
    OperationView operation;
    const bool usual = usual_.read(line.view(), operation);
    if (usual) ++usual_lines_;
    if (text.find('\n') == std::string_view::npos) check_first_of(text, "\n" + before_, careful, usual);
    before_ = std::string(text.substr(0, 60)) + '\n';
  }

  [[nodiscard]] double usual_share() const {
    return static_cast<double>(usual_lines_) / static_cast<double>(lines_);
  }

 private:
  // The same line with another behind it. A CR at its end is white space here, and part of the line's end
  // there.
  void check_first_of(std::string_view text, const std::string& behind, const std::string& careful,
                      bool usual) {
    const ExactText lines(std::string(text) + behind);
    OperationView operation;
    const std::size_t size = both_.read_usual_line(lines.view(), operation);
    if (size == 0) {
      EXPECT_FALSE(usual) << text;
    } else {
      EXPECT_EQ(size, text.size() + 1) << text;
      EXPECT_EQ(text_of(operation) + " unknown " + std::to_string(both_.unknown_fields()), careful) << text;
    }
  }

  OperationReader both_;
  OperationReader both_less_{OperationReader::Throughput::left_out};
  CarefulOperationReader careful_;
  UsualOperationReader usual_;  // only to see how many lines take the fast path
  std::string before_ = "\n";
  std::uint64_t lines_ = 0;
  std::uint64_t usual_lines_ = 0;
};

class Chance {
 protected:
  explicit Chance(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  // Of what the fast path leaves alone: in many lines never.
  bool odd(std::size_t n) { return oddity_ > 0 && one_in(oddity_ * n); }
  template <class List>
  const auto& pick(const List& list) {
    return *(std::begin(list) + static_cast<std::ptrdiff_t>(below(std::size(list))));
  }
  std::string any_of(std::initializer_list<const char*> texts) { return pick(texts); }
  template <class List>
  auto place_in(List& list) {
    return list.begin() + static_cast<std::ptrdiff_t>(below(list.size() + 1));
  }

  void choose_oddity() { oddity_ = pick(std::array<std::size_t, 4>{0, 0, 1, 8}); }

  std::mt19937_64 random_;

 private:
  std::size_t oddity_ = 0;
};

class Generator : private Chance {
 public:
  explicit Generator(std::uint64_t seed) : Chance(seed) {
    for (char& c : plain_) {
      c = static_cast<char>(' ' + below(96));  // with DEL
      if (c == '"' || c == '\\') c = 'x';
    }
  }

  std::string line() {
    choose_oddity();
    std::vector<std::string> members = usual_members();
    if (odd(3)) std::shuffle(members.begin(), members.end(), random_);
    if (odd(6)) std::reverse(members.begin(), members.end());
    if (odd(20)) members.push_back(pick(members));
    if (odd(20))
      members.insert(place_in(members), any_of({R"("zone":"a")", R"("type":"users")", R"("":{})",
                                                R"("t\u0079pe":1)", R"("list":[1,{"a":[]}])"}));
    std::string text = joined(members);
    while (odd(3)) spoil(text);
    return text;
  }

 private:
  // In the contract's order; optional ones are often absent.
  std::vector<std::string> usual_members() {
    std::vector<std::string> members;
    const auto add = [&](bool given, const char* key, std::string value) {
      if (!given) return;
      if (odd(60)) value = any_of({"null", "5", "\"5\"", "true", "{}", "[]", "[{}]", "nul", "\"\""});
      members.push_back('"' + std::string(key) + '"' + colon() + value);
    };
    const bool full = one_in(2);
    const auto often = [&] { return full || one_in(3); };
    add(often(), "operation_id", text(128));
    add(often(), "timestamp_start", time());
    add(often(), "timestamp_end", time());
    add(!odd(40), "operation_type", type_name());
    add(often(), "workload_type", one_in(9) ? "\"\"" : type_name());
    add(often(), "object_key", text(1024));
    add(often(), "object_size_bytes", whole());
    add(!odd(10), "duration_ms", decimal());
    add(often(), "throughput_mbps", decimal());
    add(!odd(40), "success", any_of({"true", "false"}));
    add(one_in(3), "error_code", text(128));
    add(one_in(4), "error_message", text(4096));
    add(one_in(3), "retry_count", whole());
    add(often(), "driver", text(128));
    add(often(), "user_id", text(256));
    add(one_in(3), "metadata", metadata());
    add(one_in(4), "intended_start", time());
    return members;
  }

  std::string joined(const std::vector<std::string>& members) {
    std::string text = odd(50) ? any_of({" {", "{ ", "\t{\n", "[{", ""}) : "{";
    for (const std::string& member : members) {
      if (text.size() > 1) text += style_ == 1 ? ", " : comma();
      text += member;
    }
    text += odd(50) ? any_of({"} ", " }", "}}", "}\r", "},", "", ",}", "}\n \t"}) : "}";
    style_ = below(3);  // of the next line
    return text;
  }
  std::string comma() { return style_ == 2 && one_in(4) ? any_of({" ,", ",  ", ",\t", ",\n", " , "}) : ","; }
  std::string colon() {
    if (style_ == 1) return ": ";
    return style_ == 2 && one_in(4) ? any_of({" :", ":  ", ":\t", " : "}) : ":";
  }

  // About every length to just beyond the limit, which is met often.
  std::string text(std::size_t limit) {
    const std::size_t size = odd(10) ? limit - 2 + below(5) : one_in(4) ? limit / 2 : below(24);
    std::string out = plain_.substr(below(plain_.size() - size), size);
    while (odd(4)) out.insert(below(out.size() + 1), piece());
    while (one_in(8))
      out.insert(below(out.size() + 1), any_of({"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}));
    return '"' + out + '"';
  }
  // What a text may or must not hold, beside plain characters.
  std::string piece() {
    return any_of({"\xC3\xA9",
                   "\xE2\x82\xAC",
                   "\xF0\x9F\x98\x80",
                   "\x7F",
                   R"(\n)",
                   R"(\")",
                   R"(\\)",
                   R"(\/)",
                   R"(\u00e9)",
                   R"(\u0000)",
                   R"(\ud83d\ude00)",
                   R"(\ud800)",
                   "\xFF",
                   "\xC0\xAF",
                   "\xED\xA0\x80",
                   "\xF4\x90\x80\x80",
                   "\xC3",
                   "\x80",
                   "\n",
                   "\t",
                   "\x1F",
                   "\xE2\x82",
                   "\xEF\xBF\xBF"});
  }

  std::string type_name() {
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
    if (one_in(2)) return any_of({"\"upload\"", "\"download\"", "\"s3\"", "\"list\"", "\"delete\""});
    std::string name(one_in(4) ? 62 + below(4) : 1 + below(20), 'x');
    for (char& c : name) c = pick(kAllowed);
    if (odd(10)) name.insert(place_in(name), pick(std::string_view(" /;@[`{^,+", 10)));
    if (odd(30)) name += piece();
    return '"' + name + '"';
  }

  std::string digits(std::size_t count) {
    std::string out;
    while (out.size() < count) out += static_cast<char>('0' + below(10));
    return out;
  }
  std::string digits_of_a_number(std::size_t max_count) {
    std::string out = digits(1 + below(max_count));
    const std::size_t zeros = out.find_first_not_of('0');
    return odd(60) ? out : zeros == std::string::npos ? "0" : out.substr(zeros);
  }
  std::string whole() {
    if (odd(8)) {
      return any_of({"9007199254740992",
                     "9007199254740993",
                     "9007199254740991",
                     "-0",
                     "-1",
                     "0",
                     "00",
                     "01",
                     "1048576.0",
                     "1048576.5",
                     "1.048576e6",
                     "1e400",
                     "18446744073709551616",
                     "10000000000000000",
                     "99999999",
                     "100000000",
                     "12345678",
                     "+1",
                     "1.",
                     ".5",
                     "0x10",
                     "1 "});
    }
    return digits_of_a_number(odd(5) ? 18 : 16);
  }
  std::string decimal() {
    if (odd(8)) {
      return any_of({"0",
                     "0.0",
                     "-0.0",
                     "-0",
                     "-0.1",
                     "1e3",
                     "1.5E-3",
                     "4e-7",
                     "0.0000005",
                     "0.00000049999999",
                     "0.9999995",
                     "999999999.9999999",
                     "1000000000",
                     "1000000000.0000001",
                     "99999999.9999999",
                     "99999999.99999999999",
                     "1e400",
                     "-1e400",
                     "1e-400",
                     "0.1e",
                     "00.5",
                     "1.",
                     ".5",
                     "1.e5",
                     "NaN",
                     "Infinity",
                     "0.30000000000000004",
                     "8.88888888888889",
                     "9007199254740993.0",
                     "0.000000000000000000000000000000000000001",
                     "9007199254740992.5",
                     "4503599627370497.5"});
    }
    const std::string whole = digits_of_a_number(odd(8) ? 12 : 5);
    return one_in(5) ? whole : whole + '.' + digits(1 + below(odd(10) ? 30 : 17));
  }

  std::string time() {
    std::string day = odd(12) ? any_of({"1970-01-01", "2261-12-31", "2262-01-01", "1969-12-31", "2026-02-29",
                                        "2024-02-29", "2026-13-01", "0000-00-00", "2026-1-31", "99999-01-01"})
                              : any_of({"2026-01-31", "2026-02-01", "2026-01-30"});
    std::string clock = odd(12) ? any_of({"24:00:00", "23:60:00", "23:59:60", "23:59:61", "29:59:59",
                                          "00:00:00", "23:59", "3:59:59", "23-59-59", "99:99:99", "23:59:5:"})
                                : two(24) + ':' + two(60) + ':' + two(60);
    const std::string fraction =
        odd(4)
            ? any_of({"", ".", ".1", ".123456789", ".1234567890", ".12345", ".1234567", ",123456", ".12345x"})
            : '.' + digits(6);
    const std::string zone = odd(3) ? any_of({"", "z", "+00:00", "-00:00", "+02:00", "+24:00", "+01:60",
                                              "+0100", "ZZ", " Z", "+00:0", "Z ", R"(\u005a)", "\xC3\xA9"})
                                    : "Z";
    const std::string between = odd(12) ? any_of({" ", "t", "_", ""}) : "T";
    return '"' + day + between + clock + fraction + zone + '"';
  }
  std::string two(std::size_t bound) {
    const std::size_t value = below(bound);
    return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  }

  std::string metadata() {
    if (one_in(2)) return "{}";
    return odd(8) ? nested(1 + below(40)) : object(3);
  }
  std::string nested(std::size_t levels) {
    std::string open, close;
    for (std::size_t i = 0; i < levels; ++i) {
      const bool array = i > 0 && one_in(2);
      open += array ? "[" : "{\"k\":";
      close.insert(0, array ? "]" : "}");
    }
    return open + any_of({"1", "{}", "[]"}) + close;
  }
  std::string object(std::size_t levels) {
    std::string out = "{";
    for (std::size_t count = below(4); count > 0; --count) {
      if (out.size() > 1) out += comma();
      out += text(12) + colon() + value(levels);
    }
    return out + '}';
  }
  std::string value(std::size_t levels) {
    switch (below(levels == 0 ? 4 : 6)) {
      case 0: return text(12);
      case 1: return decimal();
      case 2:
        return any_of({"true", "false", "null", "-1", "-0", "-12.25", "\"type\"", odd(4) ? "tru" : "[]"});
      case 3: return whole();
      case 4: return object(levels - 1);
      default: return "[" + value(levels - 1) + (one_in(2) ? "," + value(levels - 1) : "") + "]";
    }
  }

  // Some damage anywhere.
  void spoil(std::string& text) {
    if (text.empty()) return;
    const std::size_t at = below(text.size());
    switch (below(7)) {
      case 0: text[at] = static_cast<char>(text[at] ^ (1 << below(8))); break;
      case 1: text[at] = static_cast<char>(below(256)); break;
      case 2: text.resize(at); break;
      case 3: text.erase(at, 1 + below(4)); break;
      case 4: text.insert(at, piece()); break;
      case 5: text.insert(at, text.substr(below(text.size()), below(20))); break;
      default:
        text.insert(
            at, any_of({" ", "\"", "{", "}", "[", "]", ",", ":", "0", ".", "e5", "-", "null", "\\", "\n"}));
    }
  }

  std::string plain_ = std::string(8192, ' ');  // what texts are cut from
  std::size_t style_ = 0;                       // of white space: none, as Python has it, any
};

constexpr std::uint64_t kCases = METRICSD_SANITIZED != 0 ? 25'000 : 250'000;  // a second or two

TEST(OperationReaderPaths, GiveTheSameAnswerToAnyLine) {
  Generator generator(fuzz_seed(1));
  Comparison comparison;
  for (std::uint64_t left = fuzz_cases(kCases); left > 0; --left) {
    ASSERT_NO_FATAL_FAILURE(comparison.check(generator.line()));
  }
  // Otherwise it would not be the two paths that were compared.
  EXPECT_GT(comparison.usual_share(), 0.1);
  EXPECT_LT(comparison.usual_share(), 0.9);
}

// What the fast path is for, as it is written by those who write it. That it takes them is all of its speed.
constexpr std::array<std::string_view, 11> kUsualLines{
    // Our client: an upload, a failure, a line of every field.
    R"({"operation_id":"0f3a9c1122334455-1-42","timestamp_start":"2026-01-31T23:59:59.123456Z","timestamp_end":"2026-01-31T23:59:59.235956Z","operation_type":"upload","workload_type":"s3","object_key":"bucket/object-000000042","object_size_bytes":1048576,"duration_ms":112.5,"throughput_mbps":8.88888888888889,"success":true,"driver":"boto","user_id":"user-7"})",
    R"({"operation_id":"0f3a9c1122334455-1-43","timestamp_start":"2026-01-31T23:59:59.999999Z","timestamp_end":"2026-02-01T00:00:00.000001Z","operation_type":"list","object_size_bytes":0,"duration_ms":0.002,"success":false,"error_code":"SlowDown","error_message":"Please reduce your rate.","retry_count":3,"driver":"boto"})",
    R"({"operation_id":"x","timestamp_start":"2026-01-01T00:00:00.000001Z","timestamp_end":"2026-01-01T00:00:00.100000Z","operation_type":"a","workload_type":"s3","object_key":"k","object_size_bytes":9007199254740992,"duration_ms":0.099999,"throughput_mbps":0.1,"success":false,"error_code":"E","error_message":"m","retry_count":1,"driver":"d","user_id":"u","metadata":{"k":[{},-1.5,"x",null]},"intended_start":"2026-01-01T00:00:00.000000Z"})",
    // A shell script, keys in an order of its own.
    R"({"operation_type":"upload","duration_ms":112.5,"object_size_bytes":1048576,"success":true})",
    R"({"success":true,"operation_type":"upload","duration_ms":1})",
    // json.dumps(), with what datetime.isoformat() and a difference of floats give, and None.
    R"({"operation_id": "a-1", "timestamp_start": "2026-01-31T23:59:59.123456+00:00", "timestamp_end": "2026-01-31T23:59:59.235956", "operation_type": "upload", "workload_type": "s3", "object_key": "b/\u00c3", "object_size_bytes": 1048576, "duration_ms": 112.50000000000001, "throughput_mbps": 8.888888888888889, "success": true, "error_code": null, "driver": "boto", "user_id": "user-7", "metadata": {}})",
    R"({"operation_type": "upload", "timestamp_start": "2026-01-31 23:59:59.123456", "timestamp_end": "2026-01-31 23:59:59.235956", "success": true})",
    // Times of other lengths, and elsewhere.
    R"({"timestamp_start":"2026-01-31T23:59:59Z","timestamp_end":"2026-01-31T23:59:59.1+02:00","operation_type":"read","duration_ms":7,"success":true})",
    // Beyond ASCII.
    "{\"operation_type\":\"upload\",\"object_key\":\"caf\xC3\xA9/\xE2\x82\xAC/"
    "\xF0\x9F\x98\x80\",\"duration_ms\":1,\"success\":true}",
    // Numbers of many digits.
    R"({"operation_type":"upload","object_size_bytes":123456789012345,"duration_ms":12345678.123456789012,"throughput_mbps":0.000123456789012345678,"success":true})",
    R"({"operation_type":"upload","duration_ms":0,"throughput_mbps":12345678.12345678901234567,"success":true,"metadata":{}})"};

TEST(OperationReaderPaths, TheFastOneTakesWhatIsUsual) {
  Comparison comparison;
  for (const std::string_view line : kUsualLines) {
    ASSERT_NO_FATAL_FAILURE(comparison.check(line));
    UsualOperationReader reader;
    OperationView operation;
    const bool escaped = line.find('\\') != std::string_view::npos;  // leaves it to the careful one
    EXPECT_NE(reader.read(line, operation), escaped) << line;
    EXPECT_EQ(reader.read_line(std::string(line) + "\r\n", operation), escaped ? 0 : line.size() + 2) << line;
  }
}

// Each of those lines cut, and with each byte turned into others.
TEST(OperationReaderPaths, GiveTheSameAnswerToUsualLinesThatAreSpoilt) {
  Comparison comparison;
  for (const std::string_view line : kUsualLines) {
    for (std::size_t i = 0; i <= line.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(comparison.check(line.substr(0, i)));
      for (const char c : std::string_view("\0\n \"\\,:{}[]09.-eZ+\x7F\x80\xC3n", 22)) {
        std::string spoilt(line);
        if (i < line.size()) spoilt[i] = c;
        ASSERT_NO_FATAL_FAILURE(comparison.check(spoilt));
      }
    }
  }
}

}  // namespace
}  // namespace metricsd
