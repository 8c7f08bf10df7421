#include "label_text.h"

#include <metricsd/models/utf8.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace metricsd::exporters {
namespace {

constexpr std::size_t kBlock = 16;

// What stands for `c` in the page, or nothing where it may stand for itself.
std::string_view escape_of(char c, bool quoted) {
  switch (c) {
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '"': return quoted ? "\\\"" : "";
    case '\0': return "\xEF\xBF\xBD";  // U+FFFD: Prometheus' own parser takes a NUL for the end of the page
    default: return "";
  }
}

void append_escapes(std::string& out, std::string_view text, bool quoted) {
  std::size_t plain = 0;  // where the text not yet appended begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = escape_of(text[i], quoted);
    if (escape.empty()) continue;
    out += text.substr(plain, i - plain);
    out += escape;
    plain = i + 1;
  }
  out += text.substr(plain);
}

bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '\\' && c != '"';
}

// How many of a word's bytes, from the first in memory, are plain (is_plain(), and DEL): the rest of what the
// word says counts for nothing. By Mycroft's tests for a zero byte and a byte less than n, which are exact up
// to the first hit.
unsigned plain_bytes(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr std::uint64_t kHighs = 0x8080'8080'8080'8080;
  const auto less_than = [](std::uint64_t bytes, std::uint64_t n) { return (bytes - kOnes * n) & ~bytes; };
  const std::uint64_t hits =
      (word | less_than(word, ' ') | less_than(word ^ kOnes * '"', 1) | less_than(word ^ kOnes * '\\', 1)) &
      kHighs;
  return static_cast<unsigned>(std::countr_zero(hits)) / 8;
}

}  // namespace

LabelText::LabelText(const LabelNames& names, std::string_view head, std::string_view tail)
    : values_(names.size()), head_size_(head.size()), tail_size_(tail.size()) {
  std::string text(head);
  for (const std::string& name : names) {
    text += name + "=\"";
    pieces_.push_back(make_piece(std::exchange(text, "\",")));
  }
  text = names.empty() ? text : "\"";
  text += tail;
  pieces_.push_back(make_piece(std::move(text)));
  for (const Piece& piece : pieces_) pieces_size_ += piece.size;
  pieces_size_ += kBlock;
}

LabelText::Piece LabelText::make_piece(std::string text) {
  const std::size_t size = text.size();
  text.resize((size + kBlock - 1) / kBlock * kBlock);
  return {std::move(text), size};
}

char* LabelText::copy(char* to, const Piece& piece) {
  for (std::size_t i = 0; i < piece.size; i += kBlock) std::memcpy(to + i, piece.padded.data() + i, kBlock);
  return to + piece.size;
}

std::string_view LabelText::of(std::string_view key) {
  text_.resize(std::max(text_.size(), pieces_size_ + key.size()));
  const char* end = write_plain(text_.data(), key);
  if (end == nullptr) {
    write_escaped(key);
    end = text_.data() + text_.size();
  }
  const std::string_view text(text_.data(), static_cast<std::size_t>(end - text_.data()));
  labels_ = text.substr(head_size_, text.size() - head_size_ - tail_size_);
  return text;
}

// Null where a value is not plain.
char* LabelText::write_plain(char* to, std::string_view key) const {
  if constexpr (std::endian::native != std::endian::little) return nullptr;
  std::size_t value = 0;
  to = copy(to, pieces_[0]);
  while (key.size() >= sizeof(std::uint64_t) && value < values_) {
    std::uint64_t word = 0;
    std::memcpy(&word, key.data(), sizeof(word));
    std::memcpy(to, &word, sizeof(word));
    const unsigned plain = plain_bytes(word);
    to += plain;
    key.remove_prefix(plain);
    if (plain == sizeof(word)) continue;
    if (key.front() != kValueEnd) return nullptr;
    key.remove_prefix(1);
    to = copy(to, pieces_[++value]);
  }
  for (; !key.empty() && value < values_; key.remove_prefix(1)) {
    if (is_plain(key.front())) {
      *to++ = key.front();
    } else if (key.front() == kValueEnd) {
      to = copy(to, pieces_[++value]);
    } else {
      return nullptr;
    }
  }
  return value == values_ ? to : nullptr;
}

void LabelText::write_escaped(std::string_view key) {
  text_.clear();
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    text_.append(pieces_[i].padded, 0, pieces_[i].size);
    if (i < values_) append_escaped_text(text_, take_value(key), true);
  }
}

void append_escaped_text(std::string& out, std::string_view text, bool quoted) {
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out += text;
  } else if (is_valid_utf8(text)) {
    append_escapes(out, text, quoted);
  } else {
    std::string repaired;
    append_valid_utf8(repaired, text);
    append_escapes(out, repaired, quoted);
  }
}

}  // namespace metricsd::exporters
