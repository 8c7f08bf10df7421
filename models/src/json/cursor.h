// A place in JSON text that is read from left to right, and the steps of which a usual line consists. A step
// moves on if it finds what it looks for, and says whether it did; where it did not, the place is of no use.
//
// The text ends in a byte that no step takes, and so what a cursor points to may always be read. The steps
// are small so that they can all be inlined: a cursor then lives in registers, on which the speed of the
// whole depends. What is rare is a function of its own, and takes a cursor by value.
#pragma once

#include "json/byte_block.h"

#include <metricsd/models/digit_run.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace metricsd {

class Cursor {
 public:
  // More than any step takes at once, so that one comparison answers for all of them.
  static constexpr std::size_t kRoom = 40;

  // `text` has at least kRoom bytes, the last of which is a newline, or the `}` of an object that begins the
  // text.
  explicit Cursor(std::string_view text)
      : at_(text.data()), room_(text.data() + text.size() - kRoom), last_(text.data() + text.size() - 1) {}

  const char* at() const { return at_; }
  char character() const { return *at_; }
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
    const auto differs_at = [this](std::size_t i) {
      return load_word(at_ + i) != load_word(kLiteral.data() + i);
    };
    for (std::size_t i = 0; i + kWord < kSize; i += kWord) {
      if (differs_at(i)) return false;
    }
    if (differs_at(kSize - kWord)) return false;
    at_ += kSize;
    return true;
  }

  // To the next quote, if nothing before it is what `kForbidden`, one of ByteBlock's, asks for. Otherwise the
  // place is anywhere before it.
  template <unsigned kForbidden(const char*)>
  bool find_quote() {
    while (has_room()) [[likely]] {
        const unsigned quotes = ByteBlock::quotes(at_);
        const unsigned forbidden = kForbidden(at_);
        if (quotes != 0) [[likely]]
          return move_to_quote(quotes, forbidden);
        if (forbidden != 0) return false;
        at_ += kBlock;
      }
    return find_quote_near_end<kForbidden>();
  }

  // A string without escapes, in quotes.
  bool string(std::string_view& into) {
    if (!take('"')) return false;
    const char* const begin = at_;
    if (!find_quote<ByteBlock::not_plain>() && !move_to(end_of_text(*this, begin))) [[unlikely]]
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

  // A JSON number without a sign and an exponent, of at most 16 digits before its point and 24 behind it: one
  // of more digits, or with an exponent, is followed by what no member is followed by.
  bool number() {
    std::uint64_t whole = 0;
    if (!integer_part(whole)) return false;
    static_cast<void>(digits());
    if (!take('.')) return true;
    DigitRun run = digits();
    if (run.size() == 0) return false;
    for (int more = 0; more < 2 && run.is_full(); ++more) run = digits();
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

  // Given where quotes are within a block from here on, of which there is one, and what is forbidden.
  bool move_to_quote(unsigned quotes, unsigned forbidden) {
    const unsigned before = (quotes - 1) & ~quotes;
    at_ += static_cast<unsigned>(std::countr_zero(quotes));
    return (forbidden & before) == 0;
  }
  template <unsigned kForbidden(const char*)>
  bool find_quote_near_end() {
    while (left() > kBlock) {
      const unsigned quotes = ByteBlock::quotes(at_);
      const unsigned forbidden = kForbidden(at_);
      if (quotes != 0) return move_to_quote(quotes, forbidden);
      if (forbidden != 0) return false;
      at_ += kBlock;
    }
    // The last block once more, without what is behind us.
    const char* const block = last_ + 1 - kBlock;
    const std::size_t passed = kBlock - left();
    const unsigned quotes = ByteBlock::quotes(block) >> passed;
    return quotes != 0 && move_to_quote(quotes, kForbidden(block) >> passed);
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
