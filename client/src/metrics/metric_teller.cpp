#include "metric_teller.h"

namespace metricsd::client {
namespace {

constexpr std::int64_t kIntervalNs = kNsPerSecond;

}  // namespace

void MetricTeller::tell_if_due() {
  const std::optional<std::uint64_t> listening = sender_.welcomed_connection();
  if (!listening) return;
  const std::int64_t now = clock_.monotonic_ns();
  const bool is_new = connection_ != listening;
  if (!is_new && now < next_ns_) return;
  next_ns_ = now + kIntervalNs;
  if (is_new) deltas_.begin_connection();
  connection_ = listening;
  tell();
}

void MetricTeller::tell_last() {
  // Of a run that is over before the daemon's first answer.
  if (!connection_ && sender_.has_met_daemon()) deltas_.begin_connection();
  tell();
  while (deltas_.next(message_)) left_ += message_.samples.size();
}

void MetricTeller::tell() {
  deltas_.refresh();
  outbox_.define(deltas_.take_definitions());
  while (outbox_.has_room() && deltas_.next(message_)) outbox_.push(message_);
}

std::uint64_t MetricTeller::lost() const {
  return left_ + outbox_.refused_samples() + sender_.lost_samples();
}

}  // namespace metricsd::client
