#include <metricsd/models/clock.h>

#include <ctime>

namespace metricsd {
namespace {

std::int64_t read(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {read(CLOCK_REALTIME)}; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return read(CLOCK_MONOTONIC); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace metricsd
