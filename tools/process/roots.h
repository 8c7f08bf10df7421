// Where the kernel's files are; a test has them elsewhere.
#pragma once

#include <filesystem>

namespace metricsd::tools {

struct Roots {
  std::filesystem::path proc = "/proc";
  std::filesystem::path mounts = "/";  // what /proc/self/mountinfo calls /
};

}  // namespace metricsd::tools
