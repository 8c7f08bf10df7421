// The files of a control group and of the groups above it.
#pragma once

#include "kernel_files.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

// Where one group is: `path`, whose first `top` bytes are where its hierarchy is mounted.
struct CgroupDirectory {
  std::string path;
  std::size_t top = 0;
};

// One thread.
class CgroupFiles {
 public:
  // Nothing where the file is not there: its controller is not in this hierarchy, or the group is the root.
  [[nodiscard]] std::optional<std::string_view> text(const std::string& directory, std::string_view file);
  // A file of one number; nothing for "max".
  [[nodiscard]] std::optional<std::uint64_t> number(const std::string& directory, std::string_view file);
  // A number of a file of lines "key number".
  [[nodiscard]] std::optional<std::uint64_t> number(const std::string& directory, std::string_view file,
                                                    std::string_view key);

 private:
  KernelFiles files_{"/"};
};

// The least that limit_of(directory) says of the group and of those above it; nothing where it says nothing.
template <class LimitOf>
auto least_limit(const CgroupDirectory& group, LimitOf limit_of) -> decltype(limit_of(group.path)) {
  auto least = limit_of(group.path);
  for (std::string above = group.path; above.size() > group.top;) {
    above.resize(std::max(above.rfind('/'), group.top));
    const auto limit = limit_of(above);
    if (limit && (!least || *limit < *least)) least = limit;
  }
  return least;
}

}  // namespace metricsd::tools
