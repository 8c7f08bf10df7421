// Where a shell would find a program.
#pragma once

#include <string>

namespace metricsd::tools {

// 0 where the program can be executed, else errno as execvp(3) would have it: EACCES where there is one that
// can not be. A name with a slash is a path, others are looked for in $PATH.
[[nodiscard]] int program_error(const std::string& name);

}  // namespace metricsd::tools
