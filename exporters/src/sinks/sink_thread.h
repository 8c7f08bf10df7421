// The thread of a sink whose peer may keep it, in the lookup of a name for one, for as long as it likes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace metricsd::exporters {

// One thread at a time. Signals are not delivered to the thread that runs, nor does it raise SIGPIPE.
class SinkThread {
 public:
  // `work` owns whatever it touches: it may outlive this object. Where there is no thread to be had it has
  // ended before it began.
  explicit SinkThread(std::function<void()> work);
  SinkThread(const SinkThread&) = delete;
  SinkThread& operator=(const SinkThread&) = delete;
  // It has been told to end at once, and mostly does; who waits for a name still is left behind. A program
  // that ends then does so without exit(3)'s handlers.
  ~SinkThread();

  // It is to end within so long from now on; it has a moment more to do so.
  void limit(std::chrono::milliseconds time);
  // Waits so long at most: whether it has ended, or its time is over.
  [[nodiscard]] bool wait(std::chrono::milliseconds within);
  // Why it has not done what it was to do, in one line; empty where it has ended by itself.
  [[nodiscard]] std::string why_unfinished();

 private:
  struct Ending;

  [[nodiscard]] bool has_ended_by(std::chrono::steady_clock::time_point moment);

  std::shared_ptr<Ending> ending_;
  std::chrono::steady_clock::time_point over_at_ = std::chrono::steady_clock::time_point::max();
  std::thread thread_;
};

}  // namespace metricsd::exporters
