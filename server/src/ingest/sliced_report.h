// A shard's report in the making. The registry is copied in slices, and senders are read between them: none
// waits longer for a scrape than one slice takes.
#pragma once

#include "../aggregator.h"
#include "../shard_report.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/registry.h>

#include <cstdint>
#include <exception>
#include <future>
#include <utility>

namespace metricsd::server {

// The shard's thread, but for its making and for what its future gives.
class SlicedReport {
 public:
  // `aggregator` and `clock` outlive it.
  SlicedReport(const ReportParts& parts, const Aggregator& aggregator, const Clock& clock);

  [[nodiscard]] std::future<ShardReport> future() { return promise_.get_future(); }

  // Copies one slice, where a copy is asked for. False once all is copied.
  bool copy_slice();
  // When all is copied: the future has it.
  void finish();
  // The future throws.
  void fail(std::exception_ptr why) { promise_.set_exception(std::move(why)); }

 private:
  const ReportParts parts_;
  const Aggregator& aggregator_;
  const Clock& clock_;
  RegistryCopier copier_;
  std::int64_t paused_ns_ = 0;  // when the last slice ended
  std::promise<ShardReport> promise_;
};

}  // namespace metricsd::server
