#include "state_lines.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>

#include <utility>

namespace metricsd::client {
namespace {

constexpr std::int64_t kHeartbeatNs = kNsPerSecond;
constexpr std::size_t kSamplesAtOnce = std::size_t{32} << 10;

}  // namespace

std::string run_start_line(Run run) {
  std::string line;
  ipc::encode(line, ipc::RunStartMessage{run});
  if (line.size() <= limits::kPlainLine) return line;
  run.test_config.clear();
  run.environment.clear();
  run.client_info.clear();
  run.tags.clear();
  line.clear();
  ipc::encode(line, ipc::RunStartMessage{std::move(run)});
  return line;
}

StateLines::StateLines(const Run& run, const Clock& clock, const LossLedger& losses)
    : run_id_(run.test_run_id), run_start_(run_start_line(run)), clock_(clock), losses_(losses) {}

void StateLines::begin_connection() {
  lines_.clear();
  sent_ = 0;
  being_told_ = told_before_ = told_;
  next_heartbeat_ns_ = 0;
}

void StateLines::hello(const ipc::HelloMessage& hello) {
  ipc::encode(lines_, hello);
}

void StateLines::tell_everything(std::string_view definitions) {
  lines_.append(run_start_).append(definitions);
  definitions_told_ = definitions.size();
  tell_users();
  // Again: a daemon that was killed since may not have kept what it heard.
  if (losses_.totals() != told_of_others_) write_losses();
}

// Only once what was told before is written: else it could pile up.
void StateLines::tell_changes(std::string_view definitions) {
  lines_.append(definitions.substr(definitions_told_));
  definitions_told_ = definitions.size();
  if (!lines_.empty()) return;
  if (users_ != users_told_) tell_users();
  tell_losses();
}

void StateLines::tell_users() {
  ipc::encode(lines_, ipc::UsersMessage{.count = users_, .workload_type = {}, .driver = {}, .scenario = {}});
  users_told_ = users_;
}

void StateLines::tell_losses() {
  if (losses_.totals() != being_told_ && clock_.monotonic_ns() >= next_heartbeat_ns_) write_losses();
}

void StateLines::write_losses() {
  const LossTotals totals = losses_.totals();
  next_heartbeat_ns_ = clock_.monotonic_ns() + kHeartbeatNs;
  ipc::encode(lines_, ipc::HeartbeatMessage{.dropped = drop_counts(totals, told_before_),
                                            .total = drop_counts(totals, told_of_others_)});
  being_told_ = totals;
}

void StateLines::tell(TaskSamples& samples) {
  if (lines_.empty()) samples.take(lines_, kSamplesAtOnce);
}

void StateLines::ask_for_ack() {
  ipc::encode(lines_, ipc::FlushMessage{});
}

void StateLines::tell_end(bool bye) {
  next_heartbeat_ns_ = 0;
  tell_losses();
  ipc::encode(lines_, ipc::RunEndMessage{run_id_});
  if (bye) ipc::encode(lines_, ipc::ByeMessage{});
}

void StateLines::consume(std::size_t size) {
  sent_ += size;
  if (sent_ < lines_.size()) return;
  lines_.clear();
  sent_ = 0;
  told_ = being_told_;
}

}  // namespace metricsd::client
