// /proc/PID/net/dev, as proc(5) describes it: what the devices of a process's network namespace moved.
//
//   network_rx_bytes, network_tx_bytes   the first column of either half, over all devices, lo included
//
// Two lines of headings, then one a device: its name, a colon, eight columns received, eight transmitted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace metricsd::tools {

struct NetDevice {
  std::string_view name;  // into the text
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t tx_dropped = 0;
};

// One line of the file; nothing for the headings and for what is no device's.
[[nodiscard]] std::optional<NetDevice> decode_net_device(std::string_view line);

}  // namespace metricsd::tools
