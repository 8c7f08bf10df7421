#include <metricsd/models/digit_run.h>
#include <metricsd/models/labels.h>

#include <algorithm>

namespace metricsd {
namespace {

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
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
    out += kValueEnd;
  }
}

std::string_view take_value(std::string_view& key) {
  const std::string_view value = key.substr(0, key.find(kValueEnd));
  key.remove_prefix(std::min(value.size() + 1, key.size()));
  return value;
}

LabelValues values_of(std::string_view key) {
  LabelValues values;
  while (!key.empty()) values.emplace_back(take_value(key));
  return values;
}

void view_values_of(std::string_view key, std::vector<std::string_view>& values) {
  values.clear();
  while (!key.empty()) values.push_back(take_value(key));
}

bool comes_before(std::string_view key, std::string_view other) noexcept {
  const auto [mine, theirs] = std::mismatch(key.begin(), key.end(), other.begin(), other.end());
  if (mine == key.end() || theirs == other.end()) return theirs != other.end();
  // A value that ends comes before one that goes on.
  if (*mine == kValueEnd || *theirs == kValueEnd) return *mine == kValueEnd;
  return static_cast<unsigned char>(*mine) < static_cast<unsigned char>(*theirs);
}

}  // namespace metricsd
