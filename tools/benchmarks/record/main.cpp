// usage: metricsd_bench_record THREADS
//
// What one operation costs the thread that records it, by each shape, while the drainer empties the rings and
// writes the run's JSONL below the working directory. Every thread takes turns: bursts of readings of the
// clock and of one shape alternate, then it sleeps, so that no ring fills up, as a workload does that waits
// for its store.
// {"clock": {...}, "texts": {...}, "bound": {...}, "timer": {...}, "recorded": N, "dropped": N}

#include "bursts.h"
#include "keep.h"
#include "process.h"

#include <metricsd/client/collector.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

namespace client = metricsd::client;
using metricsd::measuring::Bursts;
using namespace std::chrono_literals;

constexpr int kTurns = 1200;       // of all threads together; a third of them each shape's
constexpr int kWarmUpTurns = 100;  // of each thread: first calls, page faults, predictors
constexpr int kBurstsATurn = 4;    // the first of them is cold: it is in the p99, not in the p50
// Of each thread, times their number: the drainer is one, however many they are.
constexpr auto kSleep = 1600us;

struct Times {
  Bursts clock;
  Bursts texts;
  Bursts bound;
  Bursts timer;

  void merge(const Times& other) {
    clock.merge(other.clock);
    texts.merge(other.texts);
    bound.merge(other.bound);
    timer.merge(other.timer);
  }
};

client::Operation operation_with_three_texts() {
  return {.operation_type = "upload",
          .duration = 1ms,
          .object_key = "bucket/object-000000042",
          .object_size_bytes = 1 << 20,
          .start = std::chrono::system_clock::now(),
          .user_id = "user-7"};
}

// One thread's means of recording, and what it records.
struct Recorder {
  client::Collector& run;
  client::BoundOperation upload = run.bind("upload", {.workload_type = "s3", .driver = "boto"});
  client::Operation operation = operation_with_three_texts();

  void take_turn(int turn, Times& times) const {
    if (turn % 3 == 0) {
      time_bursts(times, times.texts, [&] { run.record(operation); });
    } else if (turn % 3 == 1) {
      time_bursts(times, times.bound, [&] { record_bound(); });
    } else {
      time_bursts(times, times.timer, [&] { upload.time().success(); });
    }
  }

  template <class Call>
  static void time_bursts(Times& times, Bursts& shape, const Call& call) {
    for (int i = 0; i < kBurstsATurn; ++i) {
      metricsd::measuring::time_clock(times.clock);
      shape.time(call);
    }
  }

  void record_bound() const {
    upload.record({.duration = operation.duration,
                   .object_size_bytes = operation.object_size_bytes,
                   .start = operation.start});
  }
};

Times record(client::Collector& run, int threads) {
  const Recorder recorder{run};
  Times times;
  for (int turn = 0; turn < kWarmUpTurns + kTurns / threads; ++turn) {
    if (turn == kWarmUpTurns) times = {};
    recorder.take_turn(turn, times);
    std::this_thread::sleep_for(kSleep * threads);
  }
  return times;
}

Times record_in_threads(client::Collector& run, int count) {
  std::vector<Times> times(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  threads.reserve(times.size());
  for (Times& mine : times) threads.emplace_back([&] { mine = record(run, count); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 1; i < times.size(); ++i) times[0].merge(times[i]);
  return times[0];
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc == 2 ? std::atoi(argv[1]) : 0;
  if (threads < 1) metricsd::measuring::fail("usage: metricsd_bench_record THREADS");

  client::RunOptions options;
  options.send_to_daemon = false;
  options.join_from_environment = false;
  client::Collector run(options);
  if (!run) metricsd::measuring::fail(run.error());
  const Times times = record_in_threads(run, threads);
  metricsd::measuring::print({{"clock", times.clock.percentiles()},
                              {"texts", times.texts.percentiles()},
                              {"bound", times.bound.percentiles()},
                              {"timer", times.timer.percentiles()},
                              {"recorded", run.recorded()},
                              {"dropped", run.dropped()}});
  std::quick_exit(EXIT_SUCCESS);  // the statistics at the end of a run are not what is measured here
}
