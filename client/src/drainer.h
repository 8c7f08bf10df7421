// The library's one background thread: from rings to lines, from lines to the run's file and to the daemon.
//
// It polls, since waking it would cost the caller more than recording does: every 10 ms while operations
// come, sooner where a ring fills by more than a quarter meanwhile, up to every 20 ms while none do. All
// signals are blocked in it, so that the workload's handlers never run here and a write beyond a file size
// limit is an error instead of a death.
#pragma once

#include "intake.h"
#include "metrics/metric_teller.h"
#include "outbox.h"
#include "run_recorder.h"
#include "sender.h"

#include <metricsd/ipc/operation_builder.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/unique_fd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace metricsd::client {

// Where operations go. Either way may be absent: the recorder, or the other three.
struct Outlets {
  std::optional<RunRecorder> recorder;
  std::optional<Outbox> outbox;
  std::optional<Sender> sender;
  std::optional<MetricTeller> metrics;
  bool count_as_not_open = false;  // files were wanted and could not be opened
};

class Drainer {
 public:
  // `at_end` runs in the background thread once all is drained and sent.
  Drainer(Intake& intake, ipc::OperationBuilder builder, Outlets& outlets, std::int64_t finish_timeout_ns,
          std::function<void()> at_end);
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;

  // Errors: those of starting a thread.
  [[nodiscard]] Result<> start();
  // Drains what is in the rings, gives the daemon its time, runs `at_end`, and ends the thread. Once, after
  // start(). The intake must be closed: else callers could keep it from ending.
  void stop_and_join();

  // Operations that needed repair, for a person.
  [[nodiscard]] std::vector<std::string> warnings() const { return builder_.warnings(); }

 private:
  void run() noexcept;
  bool run_pass() noexcept;
  void finish() noexcept;
  // Takes turns with the rings until all are empty or it is time for other work.
  void drain();
  // One turn with one ring: at most one batch. Returns what part of the ring was full.
  double drain_ring(Ring& ring);
  // What a turn came to.
  struct Turn {
    std::size_t bytes = 0;
    std::uint64_t records = 0;
    std::uint64_t operations = 0;
    std::uint64_t invalid = 0;
    std::uint64_t unread = 0;  // for want of memory
  };
  void take_records(const Ring& ring, std::span<const std::byte> bytes, Turn& turn);
  void take(const ipc::Record& record, const Ring& ring, Turn& turn);
  void end_turn(Ring& ring, const Turn& turn, const Outbox::Outcome& sent) noexcept;
  [[nodiscard]] bool is_full() const;
  // Has the files written, and gives the rings their room back.
  void hand_over() noexcept;
  void adapt_pause(double fullest, bool more);
  void wait();

  Intake& intake_;
  ipc::OperationBuilder builder_;
  Outlets& outlets_;
  const std::int64_t finish_timeout_ns_;
  const std::function<void()> at_end_;

  std::vector<ThreadRings::SlotPtr> slots_;
  ipc::Record record_;  // reused from record to record, as is the operation
  OperationView operation_;
  std::string line_;
  std::int64_t pause_ms_ = 0;

  UniqueFd wake_;  // an eventfd: stop() does not wait for the pause
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace metricsd::client
