#include "sink_thread.h"

#include <metricsd/models/signals_blocked.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

namespace metricsd::exporters {

using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kGrace{250};     // beyond its time
constexpr std::chrono::milliseconds kFarewell{500};  // from when it is to end at once

}  // namespace

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
  // Within libcrypto it must not meet what exit(3) tears down there.
  if (has_ended_by(SteadyClock::now() + kFarewell)) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void SinkThread::limit(std::chrono::milliseconds time) {
  over_at_ = SteadyClock::now() + time + kGrace;
}

bool SinkThread::wait(std::chrono::milliseconds within) {
  return has_ended_by(std::min(SteadyClock::now() + within, over_at_)) || SteadyClock::now() >= over_at_;
}

std::string SinkThread::why_unfinished() {
  const auto now = SteadyClock::now();
  if (!thread_.joinable()) return "there is no thread to be had";
  if (has_ended_by(now)) return {};
  return now >= over_at_ ? "no answer in time" : "the waiting was broken off";
}

bool SinkThread::has_ended_by(SteadyClock::time_point moment) {
  std::unique_lock lock(ending_->mutex);
  return ending_->told.wait_until(lock, moment, [this] { return ending_->has_ended; });
}

}  // namespace metricsd::exporters
