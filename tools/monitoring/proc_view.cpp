#include "proc_view.h"

#include <system_error>

namespace metricsd::tools {

std::string fault_of_proc(const std::filesystem::path& proc, pid_t self) {
  std::error_code error;
  const auto shown = std::filesystem::read_symlink(proc / "self", error);
  if (error) return proc.string() + " is not there: " + error.message();
  if (shown != std::to_string(self)) return proc.string() + " is of another PID namespace";
  return {};
}

}  // namespace metricsd::tools
