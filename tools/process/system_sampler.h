// Samples of the whole machine.
#pragma once

#include "roots.h"
#include "system_sample.h"

#include <metricsd/models/clock.h>

#include <memory>

namespace metricsd::tools {

// One thread.
class SystemSampler {
 public:
  // `clock` lives longer than this.
  SystemSampler(const Roots& roots, const Clock& clock);
  SystemSampler(SystemSampler&&) noexcept;
  SystemSampler& operator=(SystemSampler&&) noexcept;
  ~SystemSampler();

  // Valid until the next one.
  [[nodiscard]] const SystemSample& sample();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace metricsd::tools
