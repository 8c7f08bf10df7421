// The series of tasks of which nobody tells any more: those of the families `<namespace>_process_...`,
// `<namespace>_processes` and `<namespace>_system_...` with a label `job_name`, which says the task.
//
// A series of a task that was never told of goes as well, once it is idle: the task may have made room for
// others before the series was due.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/registry_image.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace metricsd::server {

// One thread.
class ProcessSeries : public SeriesChoice {
 public:
  // `spared` are the tasks that somebody tells of, or did of late.
  ProcessSeries(std::string_view metrics_namespace, std::set<std::string, std::less<>> spared)
      : namespace_(metrics_namespace), spared_(std::move(spared)) {}

  [[nodiscard]] bool has_some_of(const FamilySpec& family) const override;
  [[nodiscard]] bool has(const FamilySpec& family, std::string_view key) const override;

 private:
  const std::string namespace_;
  const std::set<std::string, std::less<>> spared_;
};

}  // namespace metricsd::server
