#include "drainer.h"

#include "signals_blocked.h"

#include <metricsd/ipc/encoder.h>

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
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;  // of one append
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

// Nothing that fails here may end the workload: a batch that cannot be held is counted. False where that was
// so.
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
    intake_.losses().add(Loss::record_no_memory, batch_lines_);
    batch_.clear();
    batch_lines_ = 0;
    pause_ms_ = kLongestPauseMs;
    return false;
  }
}

void Drainer::finish() noexcept {
  // What a thread still commits while this runs is taken too; what comes later is counted as late.
  const auto is_empty = [](const ThreadRings::SlotPtr& slot) { return slot->ring.readable().empty(); };
  while (run_pass() && !std::all_of(slots_.begin(), slots_.end(), is_empty)) {
  }
  std::uint64_t taken = 0;
  for (const auto& slot : slots_) taken += slot->ring.taken();
  intake_.end(taken);
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
  auto left = all;
  std::uint64_t taken = 0;
  Sender* const sender = outlets_.sender ? &*outlets_.sender : nullptr;
  const auto release = [&](std::uint64_t queued) { ring.release(all.size() - left.size(), taken, queued); };
  try {
    if (sender != nullptr) sender->begin_batch(ring.stream());
    while (taken < kTurn && ipc::decode_record(left, record_)) {
      left = left.subspan(record_.header.size);
      take(record_, ring, ring.taken() + ++taken);
    }
    // A stray write of the workload's: what lies behind cannot be told apart any more, and will count as
    // late.
    if (taken < kTurn) left = {};
  } catch (const std::bad_alloc&) {
    // What is queued or in the files must not be taken again.
    release(sender != nullptr ? sender->abandon_batch() : 0);
    throw;
  }
  release(sender != nullptr ? sender->end_batch() : 0);
  return static_cast<double>(all.size()) / static_cast<double>(ring.capacity());
}

void Drainer::take(const ipc::Record& record, const Ring& ring, std::uint64_t ordinal) {
  Sender* const sender = outlets_.sender ? &*outlets_.sender : nullptr;
  ++batch_lines_;  // first: should building it throw, it is lost with the batch
  if (!builder_.build(record, ring.stream(), ordinal, operation_)) {
    --batch_lines_;
    intake_.losses().add(Loss::record_invalid, 1);
    if (sender != nullptr) sender->add_nothing();
    return;
  }
  if (sender != nullptr) sender->add(operation_);
  if (!outlets_.recorder) return;
  ipc::encode(batch_, operation_);
  if (batch_.size() >= kBatchBytes) hand_over();
}

void Drainer::hand_over() {
  if (batch_lines_ == 0) return;
  if (outlets_.recorder) outlets_.recorder->append(batch_);
  if (outlets_.count_as_not_open) intake_.losses().add(Loss::jsonl_not_open, batch_lines_);
  batch_.clear();
  batch_lines_ = 0;
}

void Drainer::wait() {
  const pollfd nothing{.fd = -1, .events = 0, .revents = 0};
  std::array<pollfd, 2> entries{
      {{wake_.get(), POLLIN, 0}, outlets_.sender ? outlets_.sender->interest() : nothing}};
  static_cast<void>(::poll(entries.data(), entries.size(), static_cast<int>(pause_ms_)));
}

}  // namespace metricsd::client
