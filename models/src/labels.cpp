#include <metricsd/models/labels.h>

#include <algorithm>

namespace metricsd {
namespace {

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool is_metric_name(std::string_view text) noexcept {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == ':'; };
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), allowed);
}

bool is_label_name(std::string_view text) noexcept {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c); };
  return !text.empty() && !is_digit(text.front()) && !text.starts_with("__") &&
         std::all_of(text.begin(), text.end(), allowed);
}

void append_series_key(std::string& out, std::span<const std::string_view> values) {
  for (const std::string_view value : values) {
    out += value;
    out += '\xFF';
  }
}

}  // namespace metricsd
