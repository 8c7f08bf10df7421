#include "net_dev.h"

#include "text_scanner.h"

#include <array>
#include <cstddef>

namespace metricsd::tools {

std::optional<NetDevice> decode_net_device(std::string_view line) {
  const std::size_t colon = line.rfind(':');  // an alias has one of its own
  if (colon == std::string_view::npos) return std::nullopt;
  std::array<std::uint64_t, 12> columns{};
  TextScanner scanner(line.substr(colon + 1));
  for (std::uint64_t& column : columns) {
    const auto number = scanner.number();
    if (!number) return std::nullopt;
    column = *number;
  }
  TextScanner name(line.substr(0, colon));
  return NetDevice{.name = name.word(),
                   .rx_bytes = columns[0],
                   .rx_packets = columns[1],
                   .rx_errors = columns[2],
                   .rx_dropped = columns[3],
                   .tx_bytes = columns[8],
                   .tx_packets = columns[9],
                   .tx_errors = columns[10],
                   .tx_dropped = columns[11]};
}

}  // namespace metricsd::tools
