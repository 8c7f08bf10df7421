// The kernel's small files beneath one directory, each read whole.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace metricsd::tools {

// One thread. Its buffer is as large as the largest file so far.
class KernelFiles {
 public:
  // A directory that can not be opened has no files.
  explicit KernelFiles(const std::filesystem::path& directory);

  // Valid until the next. What open(2) and read(2) fail with; Errc::too_long beyond kKernelFile.
  [[nodiscard]] Result<std::string_view> read(const char* path);
  // The same of a file that is open already, from its beginning.
  [[nodiscard]] Result<std::string_view> read(const UniqueFd& file);
  // Its first kBeginning bytes, for files that others make as long as they like.
  [[nodiscard]] Result<std::string_view> read_beginning(const char* path);
  [[nodiscard]] UniqueFd open(const char* path) const;

  [[nodiscard]] int directory() const { return directory_.get(); }

 private:
  UniqueFd directory_;
  std::string buffer_;
};

inline constexpr std::size_t kBeginning = 4096;  // most command lines are shorter
// A mountinfo of some thousand containers, a stat of a thousand cores.
inline constexpr std::size_t kKernelFile = 4 * 1024 * 1024;

}  // namespace metricsd::tools
