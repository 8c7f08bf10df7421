// The kernel's limit: a reader that only reads, as large pieces as come.
#pragma once

#include <string>

namespace metricsd::load {

// Listens at a path, which must be free, and reads one connection after the other to its end; for each it
// prints
// {"bytes":N}. Ends with the process only. Throws std::system_error.
[[noreturn]] void read_only(const std::string& unix_path);

}  // namespace metricsd::load
