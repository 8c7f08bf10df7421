#include <metricsd/ipc/record_names.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/text.h>

namespace metricsd::ipc {

RecordNames RecordNames::of(std::string_view operation_type, std::string_view workload_type,
                            std::string_view driver) {
  RecordNames names;
  names.valid = is_type_name(operation_type) && (workload_type.empty() || is_type_name(workload_type));
  if (!names.valid) return names;
  names.operation_type = operation_type;
  names.workload_type = workload_type;
  static_cast<void>(assign_clean(names.driver, driver, limits::kDriver));
  return names;
}

}  // namespace metricsd::ipc
