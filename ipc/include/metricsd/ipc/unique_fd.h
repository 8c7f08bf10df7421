// The name under which this layer's users know UniqueFd.
#pragma once

#include <metricsd/models/unique_fd.h>

namespace metricsd::ipc {
using metricsd::UniqueFd;
}  // namespace metricsd::ipc
