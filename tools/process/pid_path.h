// "4711/stat": where a file of a process is beneath /proc.
#pragma once

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include <sys/types.h>

namespace metricsd::tools {

class PidPath {
 public:
  // `file` is one of ours: it fits.
  PidPath(pid_t pid, std::string_view file) {
    char* end = std::to_chars(text_.data(), text_.data() + text_.size(), pid).ptr;
    *end++ = '/';
    std::memcpy(end, file.data(), file.size());
  }

  [[nodiscard]] const char* c_str() const { return text_.data(); }

 private:
  std::array<char, 48> text_{};
};

}  // namespace metricsd::tools
