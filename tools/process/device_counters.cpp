#include "device_counters.h"

#include "cost.h"
#include "net_dev.h"
#include "text_scanner.h"

#include <algorithm>

namespace metricsd::tools {

namespace {

// A counter that is less than it was has begun again.
std::uint64_t moved_since(std::uint64_t last, std::uint64_t now) {
  return now >= last ? now - last : now;
}

// Every line but the two headings is a device's, and there is always one. One that was left out would be a
// new one the next time, and be counted again.
bool is_whole(std::string_view net_dev) {
  if (!net_dev.ends_with('\n')) return false;
  TextScanner lines(net_dev);
  if (!lines.next_line() || !lines.next_line()) return false;
  do {
    if (!lines.rest_of_line().empty() && !decode_net_device(lines.rest_of_line())) return false;
  } while (lines.next_line());
  return true;
}

}  // namespace

// Devices keep their order: the next one is where the last one was found, or it is new.
DeviceCounters::Device& DeviceCounters::find(std::string_view name, std::size_t& place) {
  const auto is_it = [&](const Device& device) { return device.name == name; };
  if (place >= devices_.size() || !is_it(devices_[place])) {
    const auto found = std::find_if(devices_.begin(), devices_.end(), is_it);
    place = static_cast<std::size_t>(found - devices_.begin());
    if (found == devices_.end()) devices_.push_back({std::string(name), {}, true});
  }
  return devices_[place++];
}

bool DeviceCounters::read(std::string_view net_dev) {
  if (!is_whole(net_dev)) return false;
  for (Device& device : devices_) device.is_there = false;
  const bool is_base = !was_read_ && !counts_from_zero_;
  NetworkBytes raw;
  std::size_t place = 0;
  TextScanner lines(net_dev);
  do {
    const auto line = decode_net_device(lines.rest_of_line());
    if (!line) continue;
    Device& device = find(line->name, place);
    device.is_there = true;
    if (!is_base) {
      moved_.rx = grown(moved_.rx, moved_since(device.last.rx, line->rx_bytes));
      moved_.tx = grown(moved_.tx, moved_since(device.last.tx, line->tx_bytes));
    }
    device.last = {line->rx_bytes, line->tx_bytes};
    raw = {grown(raw.rx, line->rx_bytes), grown(raw.tx, line->tx_bytes)};
  } while (lines.next_line());
  std::erase_if(devices_, [](const Device& device) { return !device.is_there; });
  raw_ = raw;
  was_read_ = true;
  return true;
}

}  // namespace metricsd::tools
