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
  // A line has at least this many bytes: more than any step takes at once, so that one comparison answers for
  // most.
  static constexpr std::size_t kRoom = 40;

  // `line` has at least kRoom bytes, the last of which is a `}`.
  explicit Cursor(std::string_view line)
      : at_(line.data()), room_(line.data() + line.size() - kRoom), last_(line.data() + line.size() - 1) {}

  const char* at() const { return at_; }
  char character() const { return *at_; }
  bool is_at_last() const { return at_ == last_; }
  // Whether kRoom bytes are left, and whether `size` are.
  bool has_room() const { return at_ <= room_; }
  bool has(std::size_t size) const { return left() >= size; }
  std::string_view since(const char* begin) const { return {begin, static_cast<std::size_t>(at_ - begin)}; }

  // To where a copy of this has gone; null: it has failed.
  bool move_to(const char* at) {
    at_ = at;
    return at != nullptr;
  }
  bool take(char c) {
    if (*at_ != c || (c == '}' && at_ == last_)) return false;
    ++at_;
    return true;
  }
  // A short one, without a `}`.
  bool take(std::string_view literal) {
    if (left() <= literal.size() || std::memcmp(at_, literal.data(), literal.size()) != 0) return false;
    at_ += literal.size();
    return true;
  }
  // One of at least eight characters, without a `}`. Compared in words, of which the last two may overlap.
  template <const auto& kLiteral>
  bool take() {
    constexpr std::size_t kSize = kLiteral.size();
    static_assert(kSize >= kWord && kSize < kRoom);
    if (!has_room() && left() <= kSize) [[unlikely]]
      return false;
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i + kWord < kSize; i += kWord) {
      difference |= load_word(at_ + i) ^ load_word(kLiteral.data() + i);
    }
    difference |= load_word(at_ + kSize - kWord) ^ load_word(kLiteral.data() + kSize - kWord);
    if (difference != 0) return false;
    at_ += kSize;
    return true;
  }

  // To the next byte that `kQuestion`, one of ByteBlock's, says yes of.
  template <unsigned kQuestion(const char*)>
  bool find() {
    while (has_room()) [[likely]] {
        const unsigned answer = kQuestion(at_);
        if (answer != 0) [[likely]] {
          at_ += static_cast<unsigned>(std::countr_zero(answer));
          return true;
        }
        at_ += kBlock;
      }
    return find_near_end<kQuestion>();
  }

  // A string without escapes, in quotes.
  bool string(std::string_view& into) {
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
  DigitRun digits() {
    const DigitRun run(next_word());
    at_ += run.size();
    return run;
  }
  // The digits of a JSON number before its point, at most eight: one at least, no 0 before another.
  bool integer_part(std::uint64_t& into) {
    const bool zero = *at_ == '0';
    const DigitRun run = digits();
    if (run.size() == 0 || (zero && run.size() != 1)) [[unlikely]]
      return false;
    into = run.value();
    return true;
  }

 private:
  // Bytes from here on, with the last one.
  std::size_t left() const { return static_cast<std::size_t>(last_ - at_) + 1; }

  // Eight bytes, with zeros for those behind the end.
  std::uint64_t next_word() const {
    if (has_room() || left() >= kWord) [[likely]]
      return load_word(at_);
    return load_word(last_ + 1 - kWord) >> (8 * (kWord - left()));
  }

  template <unsigned kQuestion(const char*)>
  bool find_near_end() {
    while (left() >= kBlock) {
      const unsigned answer = kQuestion(at_);
      at_ += answer != 0 ? static_cast<unsigned>(std::countr_zero(answer)) : kBlock;
      if (answer != 0) return true;
    }
    // The last block once more, without what is behind us.
    const unsigned answer = kQuestion(last_ + 1 - kBlock) >> (kBlock - left());
    at_ += static_cast<unsigned>(std::countr_zero(answer));
    return answer != 0;
  }

  // The closing quote of a text in which something else than plain ASCII was met.
  static const char* end_of_text(Cursor cursor, const char* begin);

  const char* at_;
  const char* room_;  // up to here kRoom bytes are left
  const char* last_;
};

// Behind the object that begins at the cursor, if it is compact: no white space, no escapes, no exponents,
// and no more than `levels` levels. Null otherwise.
const char* end_of_compact_object(Cursor cursor, std::size_t levels);

}  // namespace metricsd
