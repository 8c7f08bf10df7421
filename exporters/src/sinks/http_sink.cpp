#include "http_request.h"
#include "sink_thread.h"

#include <metricsd/exporters/http_sink.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace metricsd::exporters {

using SteadyClock = std::chrono::steady_clock;

// What both threads know.
struct HttpSink::State {
  explicit State(HttpSinkOptions given) : options(std::move(given)) {}

  void work();

  const HttpSinkOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> next;  // the newest document that was not sent
  std::uint64_t waiting = 0;        // documents that stand or fall with it
  std::uint64_t sending = 0;        // likewise with the one that is on its way
  bool is_ending = false;
  bool is_left = false;  // nobody waits for what the thread still does
  Ending ending = Ending::keep;
  SteadyClock::time_point last_put = SteadyClock::time_point::max();  // when to be done with documents
  bool may_be_there = false;  // a document: that no answer came to it does not say that it did not arrive
  bool has_tried_remove = false;
  std::string removal_error;
  SinkReport report;

 private:
  [[nodiscard]] std::string send(HttpRequester& requester, const HttpRequest& request, bool is_put);
  void count(std::unique_lock<std::mutex>& lock, const std::string& why);
  void remove(std::unique_lock<std::mutex>& lock, HttpRequester& requester);

  bool has_said_ = false;
};

namespace {

// Breaks a request off that is not over in time. The moment may come nearer meanwhile.
class Watchdog {
 public:
  template <class Deadline>
  Watchdog(std::mutex& mutex, std::condition_variable& changed, HttpRequester& requester, Deadline deadline)
      : mutex_(mutex), changed_(changed), thread_([this, &requester, deadline] {
          std::unique_lock lock(mutex_);
          while (!is_over_ && SteadyClock::now() < deadline()) changed_.wait_until(lock, deadline());
          if (is_over_) return;
          has_bitten_ = true;
          // Also what it begins from now on: the next address of a host.
          while (!is_over_) {
            requester.cut();
            changed_.wait_for(lock, std::chrono::milliseconds(50));
          }
        }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() { call_off(); }

  // Whether it has broken the request off.
  bool call_off() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    return has_bitten_;
  }

 private:
  std::mutex& mutex_;
  std::condition_variable& changed_;
  bool is_over_ = false;
  bool has_bitten_ = false;
  std::thread thread_;
};

}  // namespace

void HttpSink::State::work() {
  HttpRequester requester(options.origin, options.timeout);
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return next || is_ending; });
    if (!next) break;
    const HttpRequest request{"PUT", options.path, options.content_type, *std::exchange(next, std::nullopt)};
    sending = std::exchange(waiting, 0);
    may_be_there = true;
    lock.unlock();
    const std::string why = send(requester, request, true);
    lock.lock();
    count(lock, why);
  }
  if (ending == Ending::remove && may_be_there && !is_left) remove(lock, requester);
}

// Under the lock, which is let go while somebody else's function runs.
void HttpSink::State::count(std::unique_lock<std::mutex>& lock, const std::string& why) {
  if (is_left) return;  // and counted as failed
  const std::uint64_t documents = std::exchange(sending, 0);
  if (why.empty()) {
    report.told += documents;
    return;
  }
  report.failed += documents;
  report.last_error = why;
  if (std::exchange(has_said_, true) || !options.say_failure) return;
  lock.unlock();
  options.say_failure(why);
  lock.lock();
}

// Under the lock, which is let go meanwhile.
void HttpSink::State::remove(std::unique_lock<std::mutex>& lock, HttpRequester& requester) {
  lock.unlock();
  std::string why = send(requester, {"DELETE", options.path}, false);
  lock.lock();
  if (is_left) return;
  has_tried_remove = true;
  removal_error = std::move(why);
}

// As HttpRequester::send(), and in time.
std::string HttpSink::State::send(HttpRequester& requester, const HttpRequest& request, bool is_put) try {
  const SteadyClock::time_point usual = SteadyClock::now() + options.timeout;
  Watchdog watchdog(mutex, changed, requester, [&] { return is_put ? std::min(usual, last_put) : usual; });
  std::string why = requester.send(request);
  return watchdog.call_off() && !why.empty() ? "no whole answer in time" : why;
} catch (const std::system_error&) {
  return "there is no thread to be had";
}

HttpSink::HttpSink(HttpSinkOptions options)
    : state_(std::make_shared<State>(std::move(options))),
      thread_(std::make_unique<SinkThread>([state = state_] { state->work(); })) {}

HttpSink::~HttpSink() {
  leave();
}

void HttpSink::put(std::string document) {
  const std::lock_guard lock(state_->mutex);
  state_->next = std::move(document);
  ++state_->waiting;
  state_->changed.notify_all();
}

void HttpSink::end(Ending ending) {
  const std::chrono::milliseconds timeout = state_->options.timeout;
  thread_->limit((ending == Ending::remove ? 2 : 1) * timeout);
  const std::lock_guard lock(state_->mutex);
  state_->is_ending = true;
  state_->ending = ending;
  state_->last_put = SteadyClock::now() + timeout;
  state_->changed.notify_all();
}

bool HttpSink::wait(std::chrono::milliseconds within) {
  return thread_->wait(within);
}

void HttpSink::leave() {
  const std::string unfinished = thread_->why_unfinished();
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->is_left, true)) return;
  if (state_->ending == Ending::remove && state_->may_be_there && !state_->has_tried_remove) {
    state_->removal_error = unfinished;
  }
  if (const std::uint64_t unsent = state_->waiting + state_->sending; unsent > 0) {
    state_->report.failed += unsent;
    state_->report.last_error = unfinished;
  }
  state_->is_ending = true;
  state_->next.reset();
  state_->last_put = SteadyClock::now();
  state_->changed.notify_all();
}

SinkReport HttpSink::report() const {
  const std::lock_guard lock(state_->mutex);
  return state_->report;
}

std::string HttpSink::removal_error() const {
  const std::lock_guard lock(state_->mutex);
  return state_->removal_error;
}

}  // namespace metricsd::exporters
