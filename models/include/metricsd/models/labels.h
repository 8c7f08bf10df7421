// Names and values of labels, and the rules of metric names
// (https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd {

using LabelNames = std::vector<std::string>;
// In the order of the family's label names.
using LabelValues = std::vector<std::string>;

// What every label of the overflow series reads.
inline constexpr std::string_view kOverflowLabel = "__overflow__";

// `[a-zA-Z_:][a-zA-Z0-9_:]*`
[[nodiscard]] bool is_metric_name(std::string_view text) noexcept;
// `[a-zA-Z_][a-zA-Z0-9_]*`, not starting with `__`
[[nodiscard]] bool is_label_name(std::string_view text) noexcept;

// Ends each value of a key: it never occurs in UTF-8.
inline constexpr char kValueEnd = '\xFF';

// The values as one key: how series are found, kept and shown.
void append_series_key(std::string& out, std::span<const std::string_view> values);
// The first value of what is left of a key; takes it off, its end included.
[[nodiscard]] std::string_view take_value(std::string_view& key);
// The values of a key.
[[nodiscard]] LabelValues values_of(std::string_view key);
// The same, as views into it.
void view_values_of(std::string_view key, std::vector<std::string_view>& values);
// Whether one key's values come before the other's, compared one by one.
[[nodiscard]] bool comes_before(std::string_view key, std::string_view other) noexcept;

}  // namespace metricsd
