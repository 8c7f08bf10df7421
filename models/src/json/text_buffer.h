// Text gathered on the stack, piece by piece, and appended to a string in few large steps: to append each
// piece to the string itself would cost a call and a look at its capacity.
#pragma once

#include "json/byte_block.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace metricsd {

class TextBuffer {
 public:
  // What is put appears in `out` with flush() at the latest. Not with the destructor: there is no failing in
  // one where memory runs out.
  explicit TextBuffer(std::string& out) : out_(out) {}
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  void flush() {
    out_.append(text_.data(), static_cast<std::size_t>(at_ - text_.data()));
    at_ = text_.data();
  }

  void put(char c) {
    make_room();
    *at_++ = c;
  }
  template <std::size_t kSize>
  void put(const std::array<char, kSize>& text) {
    static_assert(kSize <= kPiece);
    make_room();
    std::memcpy(at_, text.data(), kSize);
    at_ += kSize;
  }
  void put(std::string_view text) {
    if (text.size() > kPiece) return put_long(text);
    make_room();
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  // As std::to_chars() has it: the shortest form of a double.
  template <class Number>
  void put_number(Number number) {
    make_room();
    at_ = std::to_chars(at_, at_ + kPiece, number).ptr;
  }
  // What `write`, a function from the place to write at to the place behind, writes: at most kPiece bytes.
  template <class Write>
  void put_by(const Write& write) {
    make_room();
    at_ = write(at_);
  }
  // In quotes, with what RFC 8259 section 7 requires escaped.
  void put_json_string(std::string_view text);

 private:
  // The longest piece that is written without asking again.
  static constexpr std::size_t kPiece = 40;
  static constexpr std::size_t kSize = 1024;

  void make_room() {
    if (at_ > &text_[kSize - kPiece]) [[unlikely]]
      flush();
  }
  void put_long(std::string_view text) {
    flush();
    out_.append(text);
  }
  void put_escaped(char c);
  // Of less than kBlock bytes, for which there is room. False: one of them needs an escape; none is put.
  bool put_plain(std::string_view text);

  std::string& out_;
  std::array<char, kSize> text_;
  char* at_ = text_.data();
};

}  // namespace metricsd
