// The fast path of OperationReader: lines as our own clients and the usual JSON libraries write them.
//
// Usual is: keys in about the order of the contract, each known and given once; no white space but one space
// behind a comma or colon; texts without escapes; numbers without exponents and of no more digits than a
// double has; metadata that is compact already. Of such a line it makes what the careful path would. Whatever
// else it meets, be it a fault or a rarer way to say the same, it leaves to the careful path from the line's
// start, so that what is refused, and why, is said in one place.
#pragma once

#include <metricsd/models/digit_run.h>
#include <metricsd/models/operation.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace metricsd {

// The day that the first characters of a timestamp name, `2026-01-31T`, kept from one to the next.
class DayCache {
 public:
  static constexpr std::size_t kText = 11;

  // `text` goes on with a time of at least eight characters. False: it names no moment.
  bool find(const char* text, std::int64_t& day_ns) {
    // Two words that overlap hold the eleven characters.
    constexpr std::size_t kSecond = kText - kWord;
    const bool same = load_word(text) == load_word(text_.data()) &&
                      load_word(text + kSecond) == load_word(text_.data() + kSecond);
    if (!same && !read(text)) [[unlikely]]
      return false;
    day_ns = day_ns_;
    return true;
  }

 private:
  bool read(const char* text);

  std::array<char, kText> text_{};
  std::int64_t day_ns_ = 0;
};

// One thread.
class UsualOperationReader {
 public:
  explicit UsualOperationReader(bool with_throughput = true) : with_throughput_(with_throughput) {}

  // False: `json` is not of the usual form, and `out` is unspecified. Otherwise `out` refers to `json`.
  bool read(std::string_view json, OperationView& out);
  // The same of the line that `lines` begins with; they end in a newline. Returns the bytes of the line with
  // its LF or CR LF; 0 where it is not usual.
  std::size_t read_line(std::string_view lines, OperationView& out);

 private:
  const char* read_object(std::string_view text, OperationView& out);
  const char* read_in_style(std::string_view text, OperationView& out);

  const bool with_throughput_;
  DayCache days_;
  bool spaced_ = false;  // whether the line before had spaces behind its commas and colons
};

}  // namespace metricsd
