#include "command.h"

#include <cstdio>

namespace metricsd::tools {

int fail(const std::string& line) {
  std::fprintf(stderr, "metricsctl: %s\n", line.c_str());
  return kFailed;
}

void warn(const std::string& line) {
  std::fprintf(stderr, "metricsctl: warning: %s\n", line.c_str());
}

}  // namespace metricsd::tools
