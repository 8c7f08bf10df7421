#include <metricsd/exporters/text_table.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace metricsd::exporters {
namespace {

// Columns on a terminal, as far as one character is one column.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void append_cell(std::string& out, const Cell& cell, bool colour) {
  const bool red = colour && cell.alarming;
  if (red) out += kRed;
  out += cell.text;
  if (red) out += kPlain;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t left = digits.size(); left > 3; left -= 3) digits.insert(left - 3, 1, ',');
  return digits;
}

std::string with_decimals(double value, int decimals) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
  return {text.data(), end.ptr};
}

std::string figure(double value) {
  if (value < 0.0995) return value == 0 ? "0" : with_decimals(value, 3);
  if (value < 9.995) return with_decimals(value, 2);
  if (value < 99.95) return with_decimals(value, 1);
  return grouped(static_cast<std::uint64_t>(std::llround(value)));
}

std::string figure(std::optional<double> value) {
  return value ? figure(*value) : "-";
}

std::string printable(std::string_view text) {
  std::string valid;
  append_valid_utf8(valid, text);
  std::string safe;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    const bool c1 = byte == 0xC2 && static_cast<unsigned char>(valid[i + 1]) < 0xA0;  // U+0080 to U+009F
    const bool control = byte < 0x20 || byte == 0x7F || c1;
    safe += control ? '?' : valid[i];
    if (c1) ++i;
  }
  return safe;
}

void TextTable::render(std::string& out, std::string_view indent, bool colour) const {
  const std::vector<std::size_t> widths = column_widths();
  for (const std::vector<Cell>& row : rows_) {
    out += indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) out += "  ";
      const std::size_t padding = widths[i] - width_of(row[i].text);
      if (i != 0) out.append(padding, ' ');
      append_cell(out, row[i], colour);
      if (i == 0) out.append(padding, ' ');
    }
    out += '\n';
  }
}

std::vector<std::size_t> TextTable::column_widths() const {
  std::vector<std::size_t> widths;
  for (const std::vector<Cell>& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  return widths;
}

}  // namespace metricsd::exporters
