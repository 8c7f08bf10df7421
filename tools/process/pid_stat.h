// /proc/PID/stat, as proc(5) describes it: who a process is, its CPU time, its memory and its threads.
//
// One line of fields between spaces, the second of which is the command's name in parentheses; that may hold
// anything, parentheses, spaces and line ends too. What follows the last parenthesis is numbers.
//
//   cpu_user_seconds       utime (14), in ticks; of waited-for children cutime (16)
//   cpu_system_seconds     stime (15); cstime (17)
//   thread_count           num_threads (20)
//   start_time_seconds     starttime (22), ticks since boot
//   virtual_memory_bytes   vsize (23)
//   memory_usage_bytes     rss (24), in pages: the kernel's own count, which may be some hundred KiB out
//                          while it is gathered from several cores
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/types.h>

namespace metricsd::tools {

struct PidStat {
  std::string_view comm;  // into the text
  char state = '?';
  pid_t parent = 0;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t children_user_ticks = 0;
  std::uint64_t children_system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
  std::uint64_t stack_start = 0;  // another one after execve(2); 0 where it is closed to us

  // In the middle of execve(2): of its new memory nothing is there yet. A kernel thread has none at all.
  [[nodiscard]] bool is_executing() const { return resident_pages == 0 && virtual_bytes != 0; }
  // It has ended and nobody has waited for it. A process whose first thread alone has ended is none.
  [[nodiscard]] bool is_zombie() const { return (state == 'Z' && threads <= 1) || state == 'X'; }
};

// Nothing where a field is missing, is no number, or is greater than limits::kWhole.
[[nodiscard]] std::optional<PidStat> decode_pid_stat(std::string_view text);

}  // namespace metricsd::tools
