// Figures and tables for a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::exporters {

inline constexpr std::string_view kRed = "\x1B[31m";
inline constexpr std::string_view kPlain = "\x1B[0m";

// "1,234,567"
[[nodiscard]] std::string grouped(std::uint64_t number);

[[nodiscard]] std::string with_decimals(double value, int decimals);

// About three digits that matter: "0.042", "3.14", "12.5", "1,234"; "-" for nothing.
[[nodiscard]] std::string figure(double value);
[[nodiscard]] std::string figure(std::optional<double> value);

// Names and codes come from outside, and a terminal obeys control characters: none of them passes.
[[nodiscard]] std::string printable(std::string_view text);

struct Cell {
  std::string text;
  bool alarming = false;
};

// Lines of cells, the first column to the left, figures to the right.
class TextTable {
 public:
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  // `colour` shows what is alarming in red.
  void render(std::string& out, std::string_view indent, bool colour) const;

 private:
  [[nodiscard]] std::vector<std::size_t> column_widths() const;

  std::vector<std::vector<Cell>> rows_;
};

}  // namespace metricsd::exporters
