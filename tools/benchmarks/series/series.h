// The same series kept by both sides: many of one family, four labels each, as the daemon's families of
// operations have. Used by the programs that compare what a scrape takes and what a series weighs.
#pragma once

#include <metricsd/models/registry.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include <prometheus/registry.h>

namespace metricsd::measuring {

enum class What { counters, histograms };

// Observations of one histogram: enough to fill every classic bucket and all 160 exponential ones.
inline constexpr std::size_t kObservations = 400;

class OurSeries {
 public:
  OurSeries(What what, std::size_t count);
  // The page, by all steps the daemon takes from the live state.
  [[nodiscard]] std::string scrape() const;

 private:
  std::unique_ptr<Registry> registry_;
};

class PrometheusSeries {
 public:
  PrometheusSeries(What what, std::size_t count);
  [[nodiscard]] std::string scrape() const;

 private:
  void add_counters(std::size_t count);
  void add_histograms(std::size_t count);

  std::unique_ptr<prometheus::Registry> registry_;
};

}  // namespace metricsd::measuring
