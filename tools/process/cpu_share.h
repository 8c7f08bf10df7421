// How much of a core was used lately.
//
// The kernel counts CPU time in ticks, and is exact only about what has ended: over a few milliseconds a
// share could be many times what there is. So it is of a time that many ticks fit in, where there is one.
#pragma once

#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <optional>

namespace metricsd::tools {

inline constexpr std::int64_t kShortestShareNs = 200 * kNsPerMs;

// CPU time that was used until a moment of a clock that never jumps.
struct CpuReading {
  std::int64_t at_ns = 0;
  std::uint64_t cpu_ns = 0;
};

// `percent` of one core, or all cores that are online where that is less: more can not have been used.
[[nodiscard]] double within_machine(double percent);

// One thread.
class CpuShare {
 public:
  explicit CpuShare(const CpuReading& first) : base_(first), newest_(first) {}

  // Percent of one core since the reading before that is kShortestShareNs old, or somewhat more where
  // readings come more often; since the first where none is. Nothing within no time.
  std::optional<double> next(const CpuReading& now);
  // That of one who used nothing at all these readings.
  [[nodiscard]] CpuShare of_newcomer() const;

 private:
  CpuReading base_;
  CpuReading newest_;  // the next base, once it is old enough
};

}  // namespace metricsd::tools
