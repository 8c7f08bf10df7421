#include "cgroup_files.h"

#include "keyed_numbers.h"
#include "text_scanner.h"

namespace metricsd::tools {

std::optional<std::string_view> CgroupFiles::text(const std::string& directory, std::string_view file) {
  const auto read = files_.read((directory + "/").append(file).c_str());
  return read ? std::optional(*read) : std::nullopt;
}

std::optional<std::uint64_t> CgroupFiles::number(const std::string& directory, std::string_view file) {
  const auto read = text(directory, file);
  return read ? TextScanner(*read).number() : std::nullopt;
}

std::optional<std::uint64_t> CgroupFiles::number(const std::string& directory, std::string_view file,
                                                 std::string_view key) {
  const auto read = text(directory, file);
  return read ? number_of(*read, key) : std::nullopt;
}

}  // namespace metricsd::tools
