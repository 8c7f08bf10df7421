#include "drainer.h"

#include <metricsd/ipc/encoder.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::int64_t kShortestPauseMs = 5;
constexpr std::int64_t kLongestPauseMs = 20;
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;  // of one append
constexpr std::uint64_t kTurn = 4096;  // records of one ring before the others have theirs
constexpr int kRounds = 64;            // of all rings before the clock and the socket have theirs

// A thread inherits its starter's mask: all signals are blocked while it starts, and stay so in the new one.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

Drainer::Drainer(Intake& intake, OperationBuilder builder, Outlets& outlets, std::int64_t finish_timeout_ns,
                 std::function<void()> at_end)
    : intake_(intake),
      builder_(std::move(builder)),
      outlets_(outlets),
      finish_timeout_ns_(finish_timeout_ns),
      at_end_(std::move(at_end)) {}

Result<> Drainer::start() {
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return last_system_error();
  try {
    const AllSignalsBlocked blocked;
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
    intake_.calibrate();
    pause_ms_ = next_pause_ms(drain());
    if (outlets_.sender) {
      outlets_.sender->set_users(intake_.users());
      outlets_.sender->pump();
    }
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
  const auto is_empty = [](const ThreadRings::SlotPtr& slot) { return slot->ring.front().empty(); };
  while (run_pass() && !std::all_of(slots_.begin(), slots_.end(), is_empty)) {
  }
  std::uint64_t taken = 0;
  for (const auto& slot : slots_) taken += slot->ring.popped();
  intake_.end(taken);
  try {
    if (outlets_.sender) outlets_.sender->finish(finish_timeout_ns_);
    at_end_();
  } catch (const std::exception&) {
    // No memory for the end: the report stays as it is, without "complete".
  }
}

Drainer::Found Drainer::drain() {
  intake_.rings().refresh(slots_);
  Found found = Found::more;
  for (int round = 0; found == Found::more && round < kRounds; ++round) {
    found = round == 0 ? Found::nothing : Found::all;
    for (const auto& slot : slots_) {
      if (slot->ring.front().empty()) continue;
      found = Found::more;
      drain_ring(*slot);
    }
  }
  hand_over();
  return found;
}

std::int64_t Drainer::next_pause_ms(Found found) const {
  if (found == Found::more) return 0;
  if (found == Found::all) return kShortestPauseMs;
  return std::min(pause_ms_ + kShortestPauseMs, kLongestPauseMs);
}

void Drainer::drain_ring(ThreadRings::Slot& slot) {
  for (std::uint64_t taken = 0; taken < kTurn; ++taken) {
    const auto entry = slot.ring.front();
    if (entry.empty()) return;
    const bool valid = builder_.build(read_record(entry), slot.stream, slot.ring.popped() + 1, operation_);
    slot.ring.pop();
    if (!valid) {
      intake_.losses().add(Loss::record_invalid, 1);
      continue;
    }
    ++batch_lines_;
    ipc::encode(batch_, operation_);
    if (batch_.size() >= kBatchBytes) hand_over();
  }
}

void Drainer::hand_over() {
  if (batch_.empty()) return;
  if (outlets_.recorder) outlets_.recorder->append(batch_);
  if (outlets_.count_as_not_open) intake_.losses().add(Loss::jsonl_not_open, batch_lines_);
  if (outlets_.sender) {
    outlets_.sender->push(batch_);
    outlets_.sender->pump();
  }
  batch_.clear();
  batch_lines_ = 0;
}

void Drainer::wait() {
  const int blocked = outlets_.sender ? outlets_.sender->blocked_descriptor() : -1;
  std::array<pollfd, 2> entries{{{wake_.get(), POLLIN, 0}, {blocked, POLLOUT, 0}}};
  static_cast<void>(::poll(entries.data(), entries.size(), static_cast<int>(pause_ms_)));
}

}  // namespace metricsd::client
