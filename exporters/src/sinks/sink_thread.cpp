#include "sink_thread.h"

#include <metricsd/models/signals_blocked.h>

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

namespace metricsd::exporters {

struct SinkThread::Ending {
  std::mutex mutex;
  std::condition_variable told;
  bool has_ended = false;
};

SinkThread::SinkThread(std::function<void()> work) : ending_(std::make_shared<Ending>()) {
  const SignalsBlocked blocked(all_signals());  // which the thread inherits
  try {
    thread_ = std::thread([work = std::move(work), ending = ending_]() mutable {
      work();
      work = nullptr;  // nothing of it ends later than the thread is said to
      const std::lock_guard lock(ending->mutex);
      ending->has_ended = true;
      ending->told.notify_all();
    });
  } catch (const std::system_error&) {
    ending_->has_ended = true;
  }
}

SinkThread::~SinkThread() {
  if (!thread_.joinable()) return;
  if (wait(std::chrono::milliseconds(0))) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool SinkThread::wait(std::chrono::milliseconds within) {
  std::unique_lock lock(ending_->mutex);
  return ending_->told.wait_for(lock, within, [this] { return ending_->has_ended; });
}

std::string SinkThread::why_unfinished() {
  if (!thread_.joinable()) return "there is no thread to be had";
  return wait(std::chrono::milliseconds(0)) ? "" : "no answer in time";
}

}  // namespace metricsd::exporters
