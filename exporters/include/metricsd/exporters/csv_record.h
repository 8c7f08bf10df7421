// One record of comma-separated values by RFC 4180: CRLF behind it, quotes around what needs them, quotes
// doubled within.
//
// A spreadsheet evaluates a cell that begins with = + - @, TAB or CR even where it is quoted, and such text
// comes from outside (keys, error messages). So text cells, and only they, get an apostrophe in front of such
// a beginning, which makes them text to the spreadsheet; `raw` leaves them as they are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace metricsd::exporters {

// Writes the cells of one record in turn, a comma behind each, to where there is room for them.
class CsvRecordWriter {
 public:
  CsvRecordWriter(char* at, bool raw) : at_(at), raw_(raw) {}

  // The most that a text and its comma take: every character a quote, quotes around them, an apostrophe.
  static std::size_t room_for(std::string_view text) { return 2 * text.size() + 4; }

  // As it stands: nothing in it needs quotes.
  CsvRecordWriter& plain(std::string_view value) {
    at_ = std::copy(value.begin(), value.end(), at_);
    *at_++ = ',';
    return *this;
  }

  CsvRecordWriter& text(std::string_view value) {
    if (value.empty()) return plain(value);
    const bool defused = !raw_ && looks_like_formula(value.front());
    const bool quoted = may_need_quotes(value) && needs_quotes(value);
    if (quoted) *at_++ = '"';
    if (defused) *at_++ = '\'';
    if (!quoted) return plain(value);
    for (const char c : value) {
      if (c == '"') *at_++ = '"';
      *at_++ = c;
    }
    *at_++ = '"';
    *at_++ = ',';
    return *this;
  }

  // Behind the record.
  char* end() {
    at_[-1] = '\r';  // in place of the last comma
    *at_++ = '\n';
    return at_;
  }

 private:
  static bool looks_like_formula(char first) {
    constexpr std::string_view kStarts = "=+-@\t\r";
    return kStarts.find(first) != std::string_view::npos;
  }

  // Whether a byte of the text is below '-': all that need quotes or doubling are. Letters, digits and what
  // joins them are not, so that most cells need no closer look.
  static bool may_need_quotes(std::string_view text) {
    constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
    std::uint64_t below = 0;  // the high bit of each byte that is
    const auto look_at = [&below](std::uint64_t eight) {
      below |= (eight - kEach * '-') & ~eight & kEach * 0x80;
    };
    while (text.size() >= sizeof(std::uint64_t)) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, text.data(), sizeof(eight));
      look_at(eight);
      text.remove_prefix(sizeof(eight));
    }
    for (const char c : text) look_at(kEach * static_cast<unsigned char>(c));
    return below != 0;
  }

  static bool needs_quotes(std::string_view text) {
    const bool padded = text.front() == ' ' || text.back() == ' ';  // some readers trim what is not quoted
    return padded || text.find_first_of(",\"\r\n") != std::string_view::npos;
  }

  char* at_;
  bool raw_;
};

}  // namespace metricsd::exporters
