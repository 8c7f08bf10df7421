#include "program_end.h"

#include <cstdio>
#include <cstdlib>

namespace metricsd::tools {

void end_program(int exit_code) {
  std::fflush(nullptr);
  std::quick_exit(exit_code);
}

}  // namespace metricsd::tools
