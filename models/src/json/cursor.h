// A place in a line of JSON that is read from left to right, and the steps of which a usual line consists. A
// step moves on if it finds what it looks for, and says whether it did; where it did not, the place is of no
// use.
//
// The line ends in a `}`. No key, value or comma begins with one, and so what a cursor points to may always
// be read. All steps are inlined, for then a cursor lives in registers, on which the speed of the whole
// depends; what is rare is a function of its own, and takes a cursor by value.
#pragma once

#include "digit_run.h"
#include "json/byte_block.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace metricsd {

class Cursor {
 public:
  // `line` has at least kBlock bytes, the last of which is a `}`.
  [[gnu::always_inline]] explicit Cursor(std::string_view line)
      : at_(line.data()), last_(line.data() + line.size() - 1) {}

  [[gnu::always_inline]] const char* at() const { return at_; }
  [[gnu::always_inline]] char character() const { return *at_; }
  [[gnu::always_inline]] bool is_at_last() const { return at_ == last_; }
  // Bytes from here on, with the last one.
  [[gnu::always_inline]] std::size_t left() const { return static_cast<std::size_t>(last_ - at_) + 1; }
  [[gnu::always_inline]] std::string_view since(const char* begin) const {
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  // To where a copy of this has gone; null: it has failed.
  [[gnu::always_inline]] bool move_to(const char* at) {
    at_ = at;
    return at != nullptr;
  }
  [[gnu::always_inline]] bool take(char c) {
    if (*at_ != c || (c == '}' && at_ == last_)) return false;
    ++at_;
    return true;
  }
  // Has no `}`.
  [[gnu::always_inline]] bool take(std::string_view literal) {
    if (left() <= literal.size() || std::memcmp(at_, literal.data(), literal.size()) != 0) return false;
    at_ += literal.size();
    return true;
  }
  [[gnu::always_inline]] void skip_space() {
    if (*at_ == ' ') [[unlikely]]
      ++at_;
  }

  // To the next byte that `kQuestion`, one of ByteBlock's, says yes of.
  template <unsigned kQuestion(const char*)>
  [[gnu::always_inline]] bool find() {
    while (left() >= kBlock) [[likely]] {
        const unsigned answer = kQuestion(at_);
        if (answer != 0) [[likely]] {
          at_ += std::countr_zero(answer);
          return true;
        }
        at_ += kBlock;
      }
    // The last block once more, without what is behind us.
    const unsigned answer = kQuestion(last_ + 1 - kBlock) >> (kBlock - left());
    at_ += std::countr_zero(answer);
    return answer != 0;
  }

  // A string without escapes, in quotes.
  [[gnu::always_inline]] bool string(std::string_view& into) {
    if (!take('"')) return false;
    const char* const begin = at_;
    if (!find<ByteBlock::ends_plain_text>()) return false;
    if (*at_ != '"' && !move_to(end_of_text(*this, begin))) [[unlikely]]
      return false;
    into = since(begin);
    ++at_;
    return true;
  }

  // The digits that come next. There may be none.
  [[gnu::always_inline]] DigitRun digits() {
    const DigitRun run(left() >= kWord ? load_word(at_)
                                       : load_word(last_ + 1 - kWord) >> (8 * (kWord - left())));
    at_ += run.size();
    return run;
  }
  // The digits of a JSON number before its point, at most eight: one at least, no 0 before another.
  [[gnu::always_inline]] bool integer_part(std::uint64_t& into) {
    const bool zero = *at_ == '0';
    const DigitRun run = digits();
    if (run.size() == 0 || (zero && run.size() != 1)) return false;
    into = run.value();
    return true;
  }

 private:
  // The closing quote of a text in which something else than plain ASCII was met.
  static const char* end_of_text(Cursor cursor, const char* begin);

  const char* at_;
  const char* last_;
};

// Behind the object that begins at the cursor, if it is compact: no white space, no escapes, no exponents,
// and no more than `levels` levels. Null otherwise.
const char* end_of_compact_object(Cursor cursor, std::size_t levels);

}  // namespace metricsd
