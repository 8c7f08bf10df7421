// The series of tasks: those of the families `<namespace>_process_...`, `<namespace>_processes` and
// `<namespace>_system_...` with a label `job_name`, which says the task.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/registry_image.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace metricsd::server {

using TaskIds = std::set<std::string, std::less<>>;

// Those of tasks of which nobody tells any more.
//
// A series of a task that was never told of goes as well, once it is idle: the task may have made room for
// others before the series was due. One thread.
class ProcessSeries : public SeriesChoice {
 public:
  // `spared` are the tasks that somebody tells of, or did of late.
  ProcessSeries(std::string_view metrics_namespace, TaskIds spared)
      : namespace_(metrics_namespace), spared_(std::move(spared)) {}

  [[nodiscard]] bool has_some_of(const FamilySpec& family) const override;
  [[nodiscard]] bool has(const FamilySpec& family, std::string_view key) const override;
  // Of any family: whether it is of a task that somebody tells of.
  [[nodiscard]] bool spares(const FamilySpec& family, std::string_view key) const;

 private:
  const std::string namespace_;
  const TaskIds spared_;
};

// All series, save those of tasks that somebody tells of. One thread.
class UnsparedSeries : public SeriesChoice {
 public:
  // It outlives this object.
  explicit UnsparedSeries(const ProcessSeries& of_tasks) : of_tasks_(of_tasks) {}

  [[nodiscard]] bool has_some_of(const FamilySpec&) const override { return true; }
  [[nodiscard]] bool has(const FamilySpec& family, std::string_view key) const override {
    return !of_tasks_.spares(family, key);
  }

 private:
  const ProcessSeries& of_tasks_;
};

}  // namespace metricsd::server
