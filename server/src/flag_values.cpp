#include "flag_values.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <system_error>
#include <utility>

namespace metricsd::server {

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "off" || text == "0") return 0;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));

  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"ms", kNsPerMs},
                                                                  {"s", kNsPerSecond},
                                                                  {"m", 60 * kNsPerSecond},
                                                                  {"h", 3600 * kNsPerSecond},
                                                                  {"d", 24 * 3600 * kNsPerSecond}};
  for (const auto& [name, length_ns] : kUnits) {
    if (unit != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / length_ns) return std::nullopt;
    return number * length_ns;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (text == "off") return kMost;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));

  constexpr std::pair<std::string_view, int> kUnits[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
  for (const auto& [name, shift] : kUnits) {
    if (unit != name) continue;
    if (number > (kMost >> shift)) return std::nullopt;
    return number << shift;
  }
  return std::nullopt;
}

std::optional<mode_t> parse_mode(std::string_view text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || end != text.data() + text.size() || mode > 0777) return std::nullopt;
  return static_cast<mode_t>(mode);
}

std::optional<std::vector<double>> parse_bounds(std::string_view text) {
  std::vector<double> bounds;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    double bound = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + comma, bound);
    if (error != std::errc{} || end != text.data() + comma || !std::isfinite(bound) || bound < 0)
      return std::nullopt;
    if (!bounds.empty() && bound <= bounds.back()) return std::nullopt;
    bounds.push_back(bound);
    if (bounds.size() > limits::kBounds) return std::nullopt;
    if (comma == text.size()) return bounds;
    text.remove_prefix(comma + 1);
  }
}

std::string join_bounds(const std::vector<double>& bounds) {
  std::string text;
  for (const double bound : bounds) {
    std::array<char, 64> digits{};
    const auto written =
        std::to_chars(digits.data(), digits.data() + digits.size(), bound, std::chars_format::fixed);
    if (!text.empty()) text += ',';
    text.append(digits.data(), written.ptr);
  }
  return text;
}

}  // namespace metricsd::server
