// What the devices of one network namespace have moved since we first looked, whatever becomes of them: they
// come, go and start again from 0, as the kernel's counters do (net_dev.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::tools {

struct NetworkBytes {
  std::uint64_t rx = 0;
  std::uint64_t tx = 0;
};

// One thread.
class DeviceCounters {
 public:
  // With `counts_from_zero` what the devices had moved before the first reading counts, too.
  explicit DeviceCounters(bool counts_from_zero) : counts_from_zero_(counts_from_zero) {}

  // The text of a net/dev. False, and nothing has changed, where it is none or has been cut off.
  bool read(std::string_view net_dev);

  [[nodiscard]] const NetworkBytes& moved() const { return moved_; }
  // What the kernel says now, since each device is there.
  [[nodiscard]] const NetworkBytes& raw() const { return raw_; }

 private:
  struct Device {
    std::string name;
    NetworkBytes last;
    bool is_there = true;
  };

  Device& find(std::string_view name, std::size_t& place);

  std::vector<Device> devices_;
  NetworkBytes moved_;
  NetworkBytes raw_;
  bool counts_from_zero_;
  bool was_read_ = false;
};

}  // namespace metricsd::tools
