// A strict parser of the Prometheus text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format): what a page of ours must
// pass.
//
// Stricter than the format and than Prometheus: every sample belongs to a family with a TYPE before it and
// its HELP before that, words are parted by one space, the lines of a family stand together, no series is
// there twice (an empty label is none), bounds and quantiles ascend, histograms add up, counters are finite
// and not below 0, and all text is UTF-8 without NUL.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::support {

using ExpositionLabels = std::map<std::string, std::string>;

struct ExpositionSample {
  std::string name;  // with `_bucket`, `_sum` or `_count`
  ExpositionLabels labels;
  double value = 0;
  std::optional<std::int64_t> timestamp_ms;
};

struct ExpositionFamily {
  std::string name;
  std::optional<std::string> help;  // unescaped
  std::string type;                 // counter, gauge, histogram, summary, untyped
  std::vector<ExpositionSample> samples;
};

struct ExpositionPage {
  std::vector<ExpositionFamily> families;

  [[nodiscard]] const ExpositionFamily* family(std::string_view name) const;
  // The value of the one sample with this name and exactly these labels.
  [[nodiscard]] std::optional<double> value(std::string_view sample_name,
                                            const ExpositionLabels& labels = {}) const;
  // The sum over the samples of this name that have these labels among theirs; 0 of none.
  [[nodiscard]] double sum(std::string_view sample_name, const ExpositionLabels& labels = {}) const;
};

// what() says the line and what is wrong with it.
class ExpositionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws ExpositionError.
[[nodiscard]] ExpositionPage parse_exposition(std::string_view text);

}  // namespace metricsd::support
