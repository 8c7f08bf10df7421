#include "program_search.h"

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr const char* kUsualPath = "/usr/local/bin:/usr/bin:/bin";  // where there is no $PATH

// 0 where the file can be executed, else errno as exec would have it.
int executable_error(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return errno;
  if (S_ISDIR(file.st_mode)) return EACCES;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

}  // namespace

int program_error(const std::string& name) {
  if (name.find('/') != std::string::npos) return executable_error(name);
  const char* const variable = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view path = variable == nullptr ? kUsualPath : variable;
  bool found = false;
  while (!name.empty()) {
    const auto colon = path.find(':');
    const std::string directory(path.substr(0, colon));
    const int error = executable_error((directory.empty() ? "." : directory) + "/" + name);
    if (error == 0) return 0;
    found |= error == EACCES;
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  return found ? EACCES : ENOENT;
}

}  // namespace metricsd::tools
