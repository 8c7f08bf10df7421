// What the kernel says of this process: the figures of the standard process_* metrics.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace metricsd::server {

struct ProcessFigures {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
  std::uint64_t virtual_memory_bytes = 0;
  std::uint64_t resident_memory_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// From `proc`/self and `proc`/stat. Nothing where they can not be read: no descriptor free, no /proc mounted.
[[nodiscard]] std::optional<ProcessFigures> read_process_figures(const std::filesystem::path& proc = "/proc");

}  // namespace metricsd::server
