#include "process_series.h"

#include <metricsd/models/labels.h>

#include <algorithm>

namespace metricsd::server {
namespace {

constexpr std::string_view kJobLabel = "job_name";

auto place_of_job(const FamilySpec& family) {
  return std::find(family.label_names.begin(), family.label_names.end(), kJobLabel);
}

// Of a family that has the label.
std::string_view job_of(const FamilySpec& family, std::string_view key) {
  const auto job_place = place_of_job(family);
  for (auto before = family.label_names.begin(); before != job_place; ++before) (void)take_value(key);
  return take_value(key);
}

}  // namespace

bool ProcessSeries::has_some_of(const FamilySpec& family) const {
  const std::string& name = family.base_name;
  const bool is_of_a_task = name.starts_with(namespace_ + "_process_") || name == namespace_ + "_processes" ||
                            name.starts_with(namespace_ + "_system_");
  return is_of_a_task && place_of_job(family) != family.label_names.end();
}

bool ProcessSeries::has(const FamilySpec& family, std::string_view key) const {
  const std::string_view job = job_of(family, key);
  return job != kOverflowLabel && !spared_.contains(job);
}

bool ProcessSeries::spares(const FamilySpec& family, std::string_view key) const {
  return has_some_of(family) && spared_.contains(job_of(family, key));
}

}  // namespace metricsd::server
