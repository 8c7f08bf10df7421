#include "checkpointer.h"

#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <utility>

namespace metricsd::server {
namespace {

// What changed is kept beside the base until it is as long; below this a file is not worth another.
constexpr std::uint64_t kSmallFile = std::uint64_t{1} << 20;
// With nothing to write, the daemon's time is: what is idle must grow old over a crash, too.
constexpr std::int64_t kTimeNs = 60 * kNsPerSecond;
// While they fail, what is shown stands still for so long: most trouble is over sooner, and then no counter
// falls whatever happens.
constexpr std::int64_t kStandsStillNs = 60 * kNsPerSecond;

std::int64_t processor_time_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

}  // namespace

Checkpointer::Checkpointer(Options options, CheckpointStore store, CutSource& source, Replicas& replicas,
                           const Clock& clock, Logger logger)
    : store_id_(std::move(options.left.store_id)),
      worked_ns_(options.worked_ns ? std::move(options.worked_ns) : processor_time_ns),
      store_(std::move(store)),
      source_(source),
      replicas_(replicas),
      clock_(clock),
      logger_(std::move(logger)),
      generation_(options.generation),
      failures_(options.left.failures),
      schedule_(options.interval_ns, clock.monotonic_ns()),
      covered_ns_(clock.monotonic_ns()) {
  figures_.failures = failures_;
  figures_.generation = generation_;
}

Checkpointer::~Checkpointer() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<> Checkpointer::begin() {
  make_one();
  if (!is_shown_) return Errc::timed_out;
  return {};
}

void Checkpointer::start() {
  thread_ = std::thread([this] { run(); });
}

void Checkpointer::hasten() {
  {
    const std::scoped_lock lock(mutex_);
    if (figures_.is_failing) return;
    schedule_.ask();
  }
  wake_.notify_all();
}

LastCheckpoint Checkpointer::finish(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  is_ending_ = true;
  wake_.notify_all();
  if (!wake_.wait_for(lock, patience, [this] { return has_ended_; })) return LastCheckpoint::unfinished;
  return figures_.is_failing ? LastCheckpoint::failed : LastCheckpoint::made;
}

void Checkpointer::run() {
  while (wait_until_due()) make_one();
  make_one();
  {
    const std::scoped_lock lock(mutex_);
    has_ended_ = true;
  }
  wake_.notify_all();
}

// False where it is time to end.
bool Checkpointer::wait_until_due() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    const std::int64_t left_ns = schedule_.due_ns() - clock_.monotonic_ns();
    if (left_ns <= 0) return true;
    wake_.wait_for(lock, std::chrono::nanoseconds(left_ns));
  }
  return false;
}

void Checkpointer::make_one() {
  const std::int64_t began_ns = clock_.monotonic_ns();
  const std::int64_t worked_before_ns = worked_ns_();
  {
    const std::scoped_lock lock(mutex_);
    schedule_.begin(began_ns);
  }
  written_ = 0;
  pause_ns_ = 0;
  Result<> outcome;
  try {
    outcome = cut_and_write();
  } catch (const std::bad_alloc&) {
    extent_ = Extent::whole;
    outcome = boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
  }
  if (outcome) {
    note_success(began_ns);
  } else {
    ++failures_;
    note_failure(outcome.error());
  }
  const std::scoped_lock lock(mutex_);
  schedule_.end(clock_.monotonic_ns(), worked_ns_() - worked_before_ns + pause_ns_);
}

Result<> Checkpointer::cut_and_write() {
  auto cuts = source_.cut(std::exchange(extent_, Extent::whole));
  if (!cuts) return cuts.error();
  pause_ns_ = cuts->pause_ns;
  const CheckpointHead head{
      .store_id = store_id_, .at = clock_.now(), .running_ns = clock_.monotonic_ns(), .failures = failures_};
  if (store_.is_open() && is_idle(cuts->shards)) {
    extent_ = Extent::changed;
    was_idle_ = true;
    return {};
  }
  was_idle_ = false;
  const auto written =
      store_.is_open() ? write_increment(cuts->shards, head) : write_base(encode(head, cuts->shards));
  if (!written) note_failure(written.error());
  if (written || goes_ahead()) {
    if (const auto loaded = load(cuts->shards, head); !loaded) return loaded;
  }
  extent_ = written ? Extent::changed : Extent::whole;
  if (!written) return written;
  source_.settle();
  if (!has_outgrown_base()) return written;
  cuts->shards = {};  // as large as all there is, where all of it changed: what follows is so, too
  return write_shown();
}

// Whether what is not durable is shown, and said to be so: at the start, where it was durable for the daemon
// before, and where the disk has been in trouble for so long that who looks would rather know what is going
// on.
bool Checkpointer::goes_ahead() {
  if (!is_shown_) return true;
  if (clock_.monotonic_ns() - failing_since_ns_ < kStandsStillNs) return false;
  const std::scoped_lock lock(mutex_);
  if (!std::exchange(figures_.is_shown_ahead, true)) {
    logger_.warning("checkpoints go on failing: what is shown now is not durable",
                    {{"error", figures_.error}});
  }
  return true;
}

Result<> Checkpointer::write_increment(const std::vector<std::string>& cuts, const CheckpointHead& head) {
  const std::string body = encode(head, cuts);
  const std::uint64_t before = store_.size();
  const auto written =
      store_.append({.kind = FrameKind::increment, .generation = generation_ + 1, .body = body});
  if (!written) return written;
  ++generation_;
  written_ += store_.size() - before;
  return written;
}

Result<> Checkpointer::write_base(const std::string& body) {
  const auto written = store_.rewrite({.kind = FrameKind::base, .generation = generation_ + 1, .body = body});
  if (!written) return written;
  ++generation_;
  written_ += store_.size();
  return written;
}

// A base of what is durable and shown: no shard is asked for it.
Result<> Checkpointer::write_shown() {
  std::vector<std::string> cuts(replicas_.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    replicas_[i]->save(cuts[i], {last_head_.at, last_head_.running_ns});
  }
  const std::string body = encode(last_head_, std::exchange(cuts, {}));
  const auto written = write_base(body);
  if (!written) extent_ = Extent::whole;
  return written;
}

Result<> Checkpointer::load(const std::vector<std::string>& cuts, const CheckpointHead& head) {
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (!replicas_[i]->load(cuts[i], head.at)) return Errc::corrupt_state;
  }
  last_head_ = head;
  is_shown_ = true;
  return {};
}

bool Checkpointer::is_idle(const std::vector<std::string>& cuts) const {
  return std::all_of(cuts.begin(), cuts.end(), [](const std::string& cut) { return cut.empty(); }) &&
         clock_.monotonic_ns() - last_head_.running_ns < kTimeNs;
}

bool Checkpointer::has_outgrown_base() const {
  return store_.size() - store_.base_size() > std::max(store_.base_size(), kSmallFile);
}

void Checkpointer::note_success(std::int64_t began_ns) {
  const std::int64_t now_ns = clock_.monotonic_ns();
  const std::scoped_lock lock(mutex_);
  if (figures_.is_failing) logger_.info("checkpoints succeed again", {{"generation", generation_}});
  figures_.is_failing = false;
  figures_.is_shown_ahead = false;
  figures_.error.clear();
  figures_.failures = last_head_.failures;
  figures_.generation = generation_;
  figures_.file_bytes = store_.size();
  figures_.bad_files = store_.bad_files();
  covered_ns_ = began_ns;
  if (written_ == 0) return;
  figures_.duration_ns = now_ns - began_ns;
  figures_.pause_ns = pause_ns_;
  figures_.written = written_;
}

// Said once for each new trouble, not for each attempt.
void Checkpointer::note_failure(const error_code& error) {
  const std::scoped_lock lock(mutex_);
  const std::string message = error.message();
  if (figures_.is_failing && figures_.error == message) return;
  if (!figures_.is_failing) failing_since_ns_ = clock_.monotonic_ns();
  logger_.error("checkpoint failed: what is counted now would be lost with the daemon; trying again",
                {{"directory", store_.directory().string()}, {"error", message}});
  figures_.is_failing = true;
  figures_.error = message;
  schedule_.forget_asked();
}

CheckpointFigures Checkpointer::figures() const {
  const std::scoped_lock lock(mutex_);
  CheckpointFigures figures = figures_;
  const std::int64_t now_ns = clock_.monotonic_ns();
  figures.age_ns = std::max<std::int64_t>(now_ns - covered_ns_, 0);
  figures.is_late = schedule_.is_late(now_ns);
  return figures;
}

}  // namespace metricsd::server
