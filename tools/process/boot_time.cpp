#include "boot_time.h"

#include "kernel_units.h"
#include "text_scanner.h"

#include <cmath>

namespace metricsd::tools {

namespace {

constexpr double kLongestUptime = 1e11;  // seconds: some thousand years, and no overflow in ticks

}  // namespace

void BootTime::read(KernelFiles& proc, Timestamp now) {
  const auto text = proc.read("uptime");
  const auto uptime = text ? TextScanner(*text).number<double>() : std::nullopt;
  if (!uptime || !(*uptime >= 0 && *uptime < kLongestUptime)) return;
  uptime_seconds_ = *uptime;
  booted_seconds_ = static_cast<double>(now.ns) / kNsPerSecond - *uptime;
}

Start BootTime::start_of(std::uint64_t ticks) const {
  return {ticks, booted_seconds_ + ticks_to_seconds(ticks)};
}

Start BootTime::now() const {
  return start_of(
      static_cast<std::uint64_t>(std::llround(uptime_seconds_ * static_cast<double>(ticks_per_second()))));
}

double BootTime::seconds_since(std::uint64_t ticks) const {
  const std::uint64_t now_ticks = now().ticks;
  return now_ticks > ticks ? ticks_to_seconds(now_ticks - ticks) : 0;
}

}  // namespace metricsd::tools
