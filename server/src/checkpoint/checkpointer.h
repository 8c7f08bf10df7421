// Makes checkpoints: asks the shards for cuts, writes them, and only then loads them into the replicas, which
// are what is shown, and tells the shards. So what anyone has seen or was promised is durable.
//
// While they fail, what is shown stands still, and no ack is given. After a minute the cuts are loaded all
// the same: what is shown goes on, and is said not to be durable. After a failure the cuts are whole, so the
// first one that succeeds begins with a base that holds everything.
#pragma once

#include "../log.h"
#include "checkpoint_body.h"
#include "checkpoint_store.h"
#include "cut.h"
#include "replica.h"
#include "schedule.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace metricsd::server {

// Where the cuts come from, and who is told.
class CutSource {
 public:
  virtual ~CutSource() = default;
  // One of each shard. After an error the next ones are to be whole.
  [[nodiscard]] virtual Result<Cuts> cut(Extent extent) = 0;
  // What was cut last is durable.
  virtual void settle() = 0;
};

// What is told of checkpoints.
struct CheckpointFigures {
  bool is_failing = false;
  bool is_late = false;          // the next one should have been durable long since
  bool is_shown_ahead = false;   // what is shown is not durable
  std::string error;             // of the last one, while they fail
  std::int64_t age_ns = 0;       // since when what is durable is all there was
  std::int64_t duration_ns = 0;  // of the last one that wrote something
  std::int64_t pause_ns = 0;     // of it: how long it kept senders waiting
  std::uint64_t written = 0;     // bytes of it
  std::uint64_t file_bytes = 0;  // of the file with all that changed since its base
  std::uint64_t generation = 0;  // of what is durable
  std::uint64_t failures = 0;    // over all lives
  std::size_t bad_files = 0;     // damaged files that are kept
};

// How the last checkpoint of a life went.
enum class LastCheckpoint { made, failed, unfinished };

// Every function may be called from any thread, save begin() and make_one().
class Checkpointer {
 public:
  struct Options {
    std::int64_t interval_ns = 0;
    CheckpointHead left;           // of what was restored: its failures go on
    std::uint64_t generation = 0;  // of what was restored
    // What the calling thread has worked so far; by default the processor's time.
    std::function<std::int64_t()> worked_ns = nullptr;
  };

  // `replicas` are empty, one for each shard. All but the store outlives this object.
  Checkpointer(Options options, CheckpointStore store, CutSource& source, Replicas& replicas,
               const Clock& clock, Logger logger);
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;
  // Waits for the one that is being made.
  ~Checkpointer();

  // The first one, whole: on the caller's thread, before start(). An error only where there was no cut: the
  // replicas are empty then.
  [[nodiscard]] Result<> begin();
  void start();
  // One is waited for.
  void hasten();
  // Something came. Where nothing had for an interval it is durable, and shown, at once. Cheap.
  void note_change() {
    if (was_idle_.load(std::memory_order_relaxed) && was_idle_.exchange(false)) hasten();
  }
  // Makes a last one and ends. Where it is unfinished it goes on, and so does this object.
  [[nodiscard]] LastCheckpoint finish(std::chrono::milliseconds patience);

  // One now, on the caller's thread; who has no start()ed thread.
  void make_one();

  [[nodiscard]] CheckpointFigures figures() const;

 private:
  void run();
  bool wait_until_due();
  Result<> cut_and_write();
  Result<> write_increment(const std::vector<std::string>& cuts, const CheckpointHead& head);
  Result<> write_base(const std::string& body);
  Result<> write_shown();
  Result<> load(const std::vector<std::string>& cuts, const CheckpointHead& head);
  bool goes_ahead();
  void note_failure(const error_code& error);
  void note_success(std::int64_t began_ns);
  [[nodiscard]] bool is_idle(const std::vector<std::string>& cuts) const;
  [[nodiscard]] bool has_outgrown_base() const;

  const std::string store_id_;
  const std::function<std::int64_t()> worked_ns_;
  CheckpointStore store_;
  CutSource& source_;
  Replicas& replicas_;
  const Clock& clock_;
  Logger logger_;

  // Of who makes checkpoints.
  std::uint64_t generation_;
  std::uint64_t failures_;
  Extent extent_ = Extent::whole;  // of the next cuts
  CheckpointHead last_head_;       // of what the replicas hold
  bool is_shown_ = false;          // they hold something
  std::int64_t failing_since_ns_ = 0;
  std::uint64_t written_ = 0;  // bytes, by the one that is being made
  std::int64_t pause_ns_ = 0;  // of it

  std::atomic<bool> was_idle_ = false;  // nothing had changed when it was asked last
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  CheckpointSchedule schedule_;
  CheckpointFigures figures_;
  std::int64_t covered_ns_;  // all there was then is durable
  bool is_ending_ = false;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace metricsd::server
