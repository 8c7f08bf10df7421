#include "drainer.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/signals_blocked.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::int64_t kShortestPauseMs = 1;
constexpr std::int64_t kUsualPauseMs = 10;
constexpr std::int64_t kLongestPauseMs = 20;  // while nothing comes
constexpr double kFast = 0.25;                // of a ring, filled within a pause: too long a pause
constexpr double kSlow = 0.0625;
constexpr std::uint64_t kTurn = 2048;  // records of one ring before the others have theirs
constexpr int kRounds = 64;            // of all rings before the clock and the socket have theirs

}  // namespace

Drainer::Drainer(Intake& intake, ipc::OperationBuilder builder, Outlets& outlets,
                 std::int64_t finish_timeout_ns, std::function<void()> at_end)
    : intake_(intake),
      builder_(std::move(builder)),
      outlets_(outlets),
      finish_timeout_ns_(finish_timeout_ns),
      at_end_(std::move(at_end)) {}

Result<> Drainer::start() {
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return last_system_error();
  try {
    const SignalsBlocked inherited(all_signals());
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return error_code(error.code());
  }
  return {};
}

void Drainer::stop_and_join() {
  stopping_.store(true, std::memory_order_release);
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void Drainer::run() noexcept {
  ::pthread_setname_np(::pthread_self(), "metrics-client");
  while (!stopping_.load(std::memory_order_acquire)) {
    run_pass();
    wait();
  }
  finish();
}

// Nothing that fails here may end the workload: what cannot be held is counted. False where that was so.
bool Drainer::run_pass() noexcept {
  try {
    builder_.calibrate().save(intake_.segment().header().calibration);
    drain();
    intake_.rings().provide_spares(slots_);
    if (outlets_.sender) {
      outlets_.sender->set_users(intake_.users());
      outlets_.sender->pump();
    }
    if (outlets_.metrics) outlets_.metrics->tell_if_due();
    return true;
  } catch (const std::exception&) {
    hand_over();
    pause_ms_ = kLongestPauseMs;
    return false;
  }
}

void Drainer::finish() noexcept {
  // What a thread still commits while this runs is taken too; what comes later is counted as late.
  const auto is_empty = [](const ThreadRings::SlotPtr& slot) { return slot->ring.readable().empty(); };
  while (run_pass() && !std::all_of(slots_.begin(), slots_.end(), is_empty)) {
  }
  intake_.end(slots_);
  try {
    if (outlets_.metrics) outlets_.metrics->tell_last();
    if (outlets_.sender) outlets_.sender->finish(finish_timeout_ns_);
    at_end_();
  } catch (const std::exception&) {
    // No memory for the end: the report stays as it is, without "complete".
  }
}

void Drainer::drain() {
  intake_.rings().refresh(slots_);
  double fullest = 0;
  bool more = true;
  for (int round = 0; more && round < kRounds; ++round) {
    more = false;
    for (const auto& slot : slots_) {
      if (slot->ring.readable().empty()) continue;
      more = true;
      const double full = drain_ring(slot->ring);
      if (outlets_.sender && outlets_.sender->has_much_to_write()) outlets_.sender->pump();
      if (round == 0) fullest = std::max(fullest, full);
    }
  }
  hand_over();
  adapt_pause(fullest, more);
}

void Drainer::adapt_pause(double fullest, bool more) {
  if (more) {
    pause_ms_ = 0;
  } else if (fullest == 0) {
    pause_ms_ = std::min(pause_ms_ + kUsualPauseMs, kLongestPauseMs);
  } else if (fullest > kFast) {
    pause_ms_ = std::max(pause_ms_ / 2, kShortestPauseMs);
  } else if (fullest < kSlow) {
    pause_ms_ = kUsualPauseMs;
  } else {
    pause_ms_ = std::clamp(pause_ms_, kShortestPauseMs, kUsualPauseMs);
  }
}

double Drainer::drain_ring(Ring& ring) {
  const auto all = ring.readable();
  Turn turn;
  Outbox* const outbox = outlets_.outbox ? &*outlets_.outbox : nullptr;
  try {
    if (outbox != nullptr) outbox->begin_batch(ring.stream());
    take_records(ring, all, turn);
  } catch (const std::bad_alloc&) {
    // The record at hand is lost; what is in the files or counted must not be taken again.
    ++turn.unread;
    end_turn(ring, turn, outbox != nullptr ? outbox->abandon_batch() : Outbox::Outcome());
    throw;
  }
  end_turn(ring, turn, outbox != nullptr ? outbox->end_batch() : Outbox::Outcome());
  return static_cast<double>(all.size()) / static_cast<double>(ring.capacity());
}

void Drainer::take_records(const Ring& ring, std::span<const std::byte> bytes, Turn& turn) {
  while (turn.records < kTurn && turn.bytes < bytes.size() && !is_full()) {
    if (!ipc::decode_record(bytes.subspan(turn.bytes), record_)) {
      // A stray write of the workload's: what lies behind cannot be told apart any more, and will count as
      // late.
      turn.bytes = bytes.size();
      return;
    }
    turn.bytes += record_.header.size;
    ++turn.records;
    take(record_, ring, turn);
  }
}

void Drainer::take(const ipc::Record& record, const Ring& ring, Turn& turn) {
  const std::uint64_t ordinal = ring.taken() + turn.records;
  if (!builder_.build(record, ring.stream(), ordinal, operation_)) {
    ++turn.invalid;
    if (outlets_.outbox) outlets_.outbox->add_nothing();
    return;
  }
  if (outlets_.outbox) outlets_.outbox->add(operation_);
  if (outlets_.recorder) {
    line_.clear();
    ipc::encode(line_, operation_);
    outlets_.recorder->add(ring.stream(), ordinal, line_);
  }
  ++turn.operations;
}

bool Drainer::is_full() const {
  return (outlets_.outbox && outlets_.outbox->is_full()) ||
         (outlets_.recorder && outlets_.recorder->is_full());
}

// In the order that ipc/segment_layout.h says: the batch is queued by now.
void Drainer::end_turn(Ring& ring, const Turn& turn, const Outbox::Outcome& sent) noexcept {
  LossLedger& losses = intake_.losses();
  const std::array<LossCount, ipc::kLossMarks> lost{
      {{Loss::record_invalid, turn.invalid},
       {Loss::record_no_memory, turn.unread},
       {outlets_.sender ? outlets_.sender->cause_of_backlog() : Loss::socket_no_daemon, sent.refused},
       {Loss::jsonl_not_open, outlets_.count_as_not_open ? turn.operations : 0}}};
  ipc::SegmentTurn& mark = intake_.segment().header().turn;
  const bool any = losses.mark(lost, mark.marks);
  if (any) {
    mark.stream = ring.stream();
    mark.taken = ring.taken();
    mark.set.store(1, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    for (const LossCount& each : lost) losses.add(each.loss, each.operations);
  }
  ring.take(turn.bytes, turn.records, sent.queued);
  if (any) mark.set.store(0, std::memory_order_release);
  if (!outlets_.recorder) ring.release();
  const bool files_are_full = outlets_.recorder && outlets_.recorder->is_full();
  if (files_are_full || ring.unreleased_bytes() >= ring.capacity() / 4) hand_over();
}

void Drainer::hand_over() noexcept {
  if (!outlets_.recorder) return;
  outlets_.recorder->append();
  for (const auto& slot : slots_) slot->ring.release();
  outlets_.recorder->done();
}

void Drainer::wait() {
  const pollfd nothing{.fd = -1, .events = 0, .revents = 0};
  std::array<pollfd, 2> entries{
      {{wake_.get(), POLLIN, 0}, outlets_.sender ? outlets_.sender->interest() : nothing}};
  static_cast<void>(::poll(entries.data(), entries.size(), static_cast<int>(pause_ms_)));
}

}  // namespace metricsd::client
