// /proc/PID/io, as proc(5) describes it: what a process made storage read and write, with all that its
// waited-for children did. Only who may trace the process may read it.
//
//   disk_read_bytes    read_bytes: fetched from storage
//   disk_write_bytes   write_bytes: pages made dirty, which storage has to write unless they are thrown away
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace metricsd::tools {

struct PidIo {
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
};

// Nothing where a line is missing or its number is greater than limits::kWhole.
[[nodiscard]] std::optional<PidIo> decode_pid_io(std::string_view text);

}  // namespace metricsd::tools
