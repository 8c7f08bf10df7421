// Tells the daemon what a collector's metrics come to: once a second while one listens, and at the end.
//
// While none does nothing is told, and the cells keep it: what comes later is told as one delta. What was
// handed to the outbox is kept there until it is acknowledged.
#pragma once

#include "../outbox.h"
#include "../sender.h"
#include "metric_deltas.h"
#include "metric_registry.h"

#include <metricsd/models/clock.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace metricsd::client {

// The background thread's.
class MetricTeller {
 public:
  // All outlive it.
  MetricTeller(const std::shared_ptr<MetricRegistry>& registry, Outbox& outbox, const Sender& sender,
               const Clock& clock)
      : deltas_(registry), outbox_(outbox), sender_(sender), clock_(clock) {}

  // If it is time to and a daemon listens.
  void tell_if_due();
  // All there is, for the sender's finish() to deliver.
  void tell_last();

  // Samples that no daemon has taken, as far as is known. After the sender's finish().
  [[nodiscard]] std::uint64_t lost() const;

 private:
  void tell();

  MetricDeltas deltas_;
  Outbox& outbox_;
  const Sender& sender_;
  const Clock& clock_;
  std::int64_t next_ns_ = 0;
  std::optional<std::uint64_t> connection_;  // that was told of the gauges
  ipc::SamplesMessage message_;              // reused
  std::uint64_t left_ = 0;                   // rows that found no room at the end
};

}  // namespace metricsd::client
