// What stands before a sample's value: the name, and the labels as the Prometheus text format writes them. A
// scrape is mostly this, so all that the series of a family have in common is put together once, and values
// that need no escape are copied eight bytes at a time.
#pragma once

#include <metricsd/models/labels.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::exporters {

// One thread.
class LabelText {
 public:
  // `head` stands before the labels and `tail` behind them: `head a="1",b="2" tail`, without the spaces.
  LabelText(const LabelNames& names, std::string_view head, std::string_view tail);

  // The text of the series with this key; good until the next call.
  [[nodiscard]] std::string_view of(std::string_view key);
  // The labels in the text made last, without head and tail.
  [[nodiscard]] std::string_view labels() const { return labels_; }

 private:
  // Padded with what is never shown, so that it may be copied in whole blocks.
  struct Piece {
    std::string padded;
    std::size_t size;
  };
  static Piece make_piece(std::string text);
  static char* copy(char* to, const Piece& piece);

  [[nodiscard]] char* write_plain(char* to, std::string_view key) const;
  void write_escaped(std::string_view key);

  std::size_t values_;
  std::size_t head_size_;
  std::size_t tail_size_;
  std::vector<Piece> pieces_;    // what stands before each value, and behind the last
  std::size_t pieces_size_ = 0;  // of all, and of what copying them in blocks may spill
  std::string text_;             // as long as the longest text so far may be
  std::string_view labels_;
};

// Appends the text with its escapes: backslash and newline are escaped everywhere, the quote only where the
// text is quoted, in label values. What is not UTF-8 is repaired: it should never come here, but one wrong
// character is better than a page that no scraper can read.
void append_escaped_text(std::string& out, std::string_view text, bool quoted);

}  // namespace metricsd::exporters
