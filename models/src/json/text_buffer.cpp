#include "json/text_buffer.h"

#include <bit>

namespace metricsd {
namespace {

// The short escape of a control character, quote or backslash; empty where there is none.
std::string_view short_escape(char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return {};
  }
}

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

constexpr std::uint64_t in_each_byte(unsigned char byte) {
  return std::uint64_t{0x0101010101010101} * byte;
}

// Whether one of eight bytes does. Exact as far as it goes: a borrow begins only at a byte that is meant.
bool any_needs_escape(std::uint64_t bytes) {
  const std::uint64_t quotes = bytes ^ in_each_byte('"');
  const std::uint64_t backslashes = bytes ^ in_each_byte('\\');
  const std::uint64_t found = ((bytes - in_each_byte(0x20)) & ~bytes) |
                              ((quotes - in_each_byte(1)) & ~quotes) |
                              ((backslashes - in_each_byte(1)) & ~backslashes);
  return (found & in_each_byte(0x80)) != 0;
}

template <class Word>
Word load(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

}  // namespace

void TextBuffer::put_json_string(std::string_view text) {
  put('"');
  while (text.size() >= kBlock) {
    make_room();
    std::memcpy(at_, text.data(), kBlock);
    const unsigned escapes = ByteBlock::needs_escape(text.data());
    if (escapes == 0) [[likely]] {
      at_ += kBlock;
      text.remove_prefix(kBlock);
    } else {
      const auto plain = static_cast<unsigned>(std::countr_zero(escapes));
      at_ += plain;
      put_escaped(text[plain]);
      text.remove_prefix(plain + 1);
    }
  }
  make_room();
  if (!put_plain(text)) {
    for (const char c : text) put_escaped(c);
  }
  put('"');
}

// Two words that overlap hold any number of bytes from their size to twice that.
bool TextBuffer::put_plain(std::string_view text) {
  const char* const begin = text.data();
  if (text.size() >= sizeof(std::uint64_t)) {
    const std::size_t second = text.size() - sizeof(std::uint64_t);
    if (any_needs_escape(load<std::uint64_t>(begin)) ||
        any_needs_escape(load<std::uint64_t>(begin + second))) {
      return false;
    }
    std::memcpy(at_, begin, sizeof(std::uint64_t));
    std::memcpy(at_ + second, begin + second, sizeof(std::uint64_t));
  } else if (text.size() >= sizeof(std::uint32_t)) {
    const std::size_t second = text.size() - sizeof(std::uint32_t);
    const std::uint64_t high = load<std::uint32_t>(begin + second);
    if (any_needs_escape(load<std::uint32_t>(begin) | high << 32)) return false;
    std::memcpy(at_, begin, sizeof(std::uint32_t));
    std::memcpy(at_ + second, begin + second, sizeof(std::uint32_t));
  } else {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (needs_escape(text[i])) return false;
      at_[i] = text[i];
    }
  }
  at_ += text.size();
  return true;
}

void TextBuffer::put_escaped(char c) {
  if (!needs_escape(c)) return put(c);
  const std::string_view escape = short_escape(c);
  if (!escape.empty()) return put(escape);
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  put("\\u00");
  put(kHex[byte >> 4]);
  put(kHex[byte & 0xF]);
}

}  // namespace metricsd
