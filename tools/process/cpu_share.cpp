#include "cpu_share.h"

#include <algorithm>

#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr double kCore = 100;

}  // namespace

double within_machine(double percent) {
  if (percent <= kCore) return percent;
  return std::min(percent, kCore * static_cast<double>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L)));
}

// A reading right after the base is no base: what came between would be in no share.
std::optional<double> CpuShare::next(const CpuReading& now) {
  if (now.at_ns - newest_.at_ns >= kShortestShareNs) {
    base_ = newest_;
    newest_ = now;
  } else if (newest_.at_ns == base_.at_ns && now.at_ns - base_.at_ns >= kShortestShareNs / 2) {
    newest_ = now;
  }
  const std::int64_t elapsed_ns = now.at_ns - base_.at_ns;
  if (elapsed_ns <= 0) return std::nullopt;
  const std::uint64_t spent = now.cpu_ns > base_.cpu_ns ? now.cpu_ns - base_.cpu_ns : 0;
  return within_machine(kCore * static_cast<double>(spent) / static_cast<double>(elapsed_ns));
}

CpuShare CpuShare::of_newcomer() const {
  CpuShare share(CpuReading{base_.at_ns, 0});
  share.newest_.at_ns = newest_.at_ns;
  return share;
}

}  // namespace metricsd::tools
