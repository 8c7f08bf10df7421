#include "pid_io.h"

#include "keyed_numbers.h"

#include <metricsd/models/limits.h>

namespace metricsd::tools {

std::optional<PidIo> decode_pid_io(std::string_view text) {
  const auto read = number_of(text, "read_bytes:");
  const auto written = number_of(text, "write_bytes:");
  if (!read || !written || *read > limits::kWhole || *written > limits::kWhole) return std::nullopt;
  return PidIo{*read, *written};
}

}  // namespace metricsd::tools
