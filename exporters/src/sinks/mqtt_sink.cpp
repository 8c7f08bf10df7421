#include "mqtt_connection.h"
#include "sink_thread.h"

#include <metricsd/exporters/mqtt_sink.h>
#include <metricsd/models/unique_fd.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include <mosquitto.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace metricsd::exporters {

using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kUnacknowledged = 16;  // messages on their way at once
constexpr std::chrono::milliseconds kShortestPause{500};
constexpr std::chrono::milliseconds kLongestPause{30'000};
constexpr std::chrono::milliseconds kConnecting{10'000};  // then another attempt is better
// Often enough for the library to keep its connection alive.
constexpr std::chrono::milliseconds kTurn{5'000};

constexpr const char* kNoAnswer = "no answer from the broker";

struct Message {
  std::string topic;
  std::string payload;
  int id = 0;  // of those on their way
};

std::chrono::milliseconds until(SteadyClock::time_point at) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at - SteadyClock::now());
  return std::clamp(left, std::chrono::milliseconds(0), kTurn);
}

}  // namespace

struct MqttSink::State {
  explicit State(MqttSinkOptions given)
      : options(std::move(given)), wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void work();
  void rouse() const;

  const MqttSinkOptions options;
  const UniqueFd wake;
  std::mutex mutex;
  std::deque<Message> waiting;
  std::deque<Message> sent;  // and not acknowledged
  bool is_ending = false;
  SteadyClock::time_point ended_at;  // when the end came
  SteadyClock::time_point end_by = SteadyClock::time_point::max();
  SinkReport report;

 private:
  std::string converse(MqttConnection& connection);
  void send_waiting(MqttConnection& connection);
  void count(MqttConnection& connection);
  void take_back_sent();
  void fail(std::string why);
  void note_end(const char* why);
  [[nodiscard]] SteadyClock::time_point open_by(SteadyClock::time_point began);
  [[nodiscard]] SteadyClock::time_point turn_end(const MqttConnection& connection,
                                                 SteadyClock::time_point began);
  [[nodiscard]] bool has_end_come();
  [[nodiscard]] bool is_over();
  [[nodiscard]] bool is_all_told();
  void pause(std::chrono::milliseconds duration);
  void drain_wake() const;

  bool has_said_ = false;
};

void MqttSink::State::work() {
  std::chrono::milliseconds pause_for = kShortestPause;
  // Whatever is left of a pause, the end is worth another attempt; it is the last one.
  for (bool is_last = false; !is_last && !is_over() && !is_all_told();) {
    is_last = has_end_come();
    MqttConnection connection;
    const std::string why = converse(connection);
    if (why.empty()) return;  // all is told, or there is no time left
    take_back_sent();
    fail(why);
    pause_for = connection.is_open() ? kShortestPause : std::min(pause_for * 2, kLongestPause);
    pause(pause_for);
  }
}

// From the connection's beginning to its end: why it ended, or empty where it was ours to end.
std::string MqttSink::State::converse(MqttConnection& connection) {
  const auto began = SteadyClock::now();
  if (std::string why = connection.connect(options); !why.empty()) return why;
  while (!is_over()) {
    if (connection.is_open()) {
      send_waiting(connection);
      if (is_all_told()) {
        connection.close();
        return {};
      }
    } else if (SteadyClock::now() >= open_by(began)) {
      return kNoAnswer;
    }
    std::string why = connection.step(wake.get(), until(turn_end(connection, began)));
    drain_wake();
    count(connection);
    if (!why.empty()) return why;
  }
  note_end(connection.is_open() ? "the broker did not acknowledge it in time" : kNoAnswer);
  return {};
}

// When a connection that began then is given up that has not come about. One that has waited for a while when
// the end comes makes room for the last attempt.
SteadyClock::time_point MqttSink::State::open_by(SteadyClock::time_point began) {
  const std::lock_guard lock(mutex);
  return is_ending && began + kShortestPause < ended_at ? ended_at : began + kConnecting;
}

SteadyClock::time_point MqttSink::State::turn_end(const MqttConnection& connection,
                                                  SteadyClock::time_point began) {
  const auto by = connection.is_open() ? SteadyClock::time_point::max() : open_by(began);
  const std::lock_guard lock(mutex);
  return std::min(end_by, by);
}

void MqttSink::State::send_waiting(MqttConnection& connection) {
  const std::lock_guard lock(mutex);
  while (!waiting.empty() && sent.size() < kUnacknowledged) {
    const auto id = connection.publish(waiting.front().topic, waiting.front().payload);
    if (!id) return;  // the connection is lost, as step() will say
    waiting.front().id = *id;
    sent.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
}

void MqttSink::State::count(MqttConnection& connection) {
  const std::lock_guard lock(mutex);
  for (const int id : connection.take_acknowledged()) {
    report.told += std::erase_if(sent, [id](const Message& message) { return message.id == id; });
  }
}

void MqttSink::State::take_back_sent() {
  const std::lock_guard lock(mutex);
  waiting.insert(waiting.begin(), std::move_iterator(sent.begin()), std::move_iterator(sent.end()));
  sent.clear();
}

void MqttSink::State::fail(std::string why) {
  std::unique_lock lock(mutex);
  if (end_by == SteadyClock::time_point::min()) return;  // nobody listens any more
  report.last_error = std::move(why);
  if (std::exchange(has_said_, true) || !options.say_failure) return;
  const std::string said = report.last_error;
  lock.unlock();
  options.say_failure(said);
}

// What is left when the time is up has failed for that reason.
void MqttSink::State::note_end(const char* why) {
  const std::lock_guard lock(mutex);
  if (!waiting.empty() || !sent.empty()) report.last_error = why;
}

bool MqttSink::State::has_end_come() {
  const std::lock_guard lock(mutex);
  return is_ending;
}

bool MqttSink::State::is_over() {
  const std::lock_guard lock(mutex);
  return is_ending && SteadyClock::now() >= end_by;
}

bool MqttSink::State::is_all_told() {
  const std::lock_guard lock(mutex);
  return is_ending && waiting.empty() && sent.empty();
}

// Shorter where the end comes.
void MqttSink::State::pause(std::chrono::milliseconds duration) {
  for (const auto ends = SteadyClock::now() + duration; !has_end_come();) {
    const auto left = until(ends);
    if (left.count() == 0) return;
    pollfd woken{wake.get(), POLLIN, 0};
    ::poll(&woken, 1, static_cast<int>(left.count()));
    drain_wake();
  }
}

void MqttSink::State::rouse() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
}

void MqttSink::State::drain_wake() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(wake.get(), &count, sizeof count);
}

bool is_mqtt_topic(const std::string& topic) {
  return !topic.empty() && topic.size() <= 65'535 && topic.find('\0') == std::string::npos &&
         is_valid_utf8(topic) && ::mosquitto_pub_topic_check(topic.c_str()) == MOSQ_ERR_SUCCESS;
}

MqttSink::MqttSink(MqttSinkOptions options)
    : state_(std::make_shared<State>(std::move(options))),
      thread_(std::make_unique<SinkThread>([state = state_] { state->work(); })) {}

MqttSink::~MqttSink() {
  leave();
}

void MqttSink::publish(std::string topic, std::string payload) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() + state_->sent.size() >= state_->options.max_waiting &&
        !state_->waiting.empty()) {
      state_->waiting.pop_front();
      ++state_->report.failed;
      if (state_->report.last_error.empty()) state_->report.last_error = "too many waited for the broker";
    }
    state_->waiting.push_back({std::move(topic), std::move(payload)});
  }
  state_->rouse();
}

void MqttSink::end(std::chrono::milliseconds within) {
  thread_->limit(within);
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
    state_->ended_at = SteadyClock::now();
    state_->end_by = state_->ended_at + within;
  }
  state_->rouse();
}

bool MqttSink::wait(std::chrono::milliseconds within) {
  return thread_->wait(within);
}

void MqttSink::leave() {
  const std::string unfinished = thread_->why_unfinished();
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
    state_->end_by = SteadyClock::time_point::min();
    const std::uint64_t unsent = state_->waiting.size() + state_->sent.size();
    state_->report.failed += unsent;
    if (unsent > 0 && !unfinished.empty()) state_->report.last_error = unfinished;
    state_->waiting.clear();
    state_->sent.clear();
  }
  state_->rouse();
}

SinkReport MqttSink::report() const {
  const std::lock_guard lock(state_->mutex);
  return state_->report;
}

}  // namespace metricsd::exporters
