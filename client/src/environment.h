// What a run's files say about where it ran.
#pragma once

#include <string>

namespace metricsd::client {

// {"host","kernel","cpu_count","memory_bytes","library_version"} as compact JSON.
[[nodiscard]] std::string describe_environment();

}  // namespace metricsd::client
