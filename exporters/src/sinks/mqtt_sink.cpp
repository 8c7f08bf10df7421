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
constexpr std::chrono::milliseconds kTurn{
    5'000};  // often enough for the library to keep its connection alive

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
  SteadyClock::time_point end_by = SteadyClock::time_point::max();
  SinkReport report;

 private:
  std::string converse(MqttConnection& connection);
  void send_waiting(MqttConnection& connection);
  void count(MqttConnection& connection);
  void take_back_sent();
  void fail(std::string why);
  [[nodiscard]] bool is_over();
  [[nodiscard]] bool is_all_told();
  [[nodiscard]] bool pause(std::chrono::milliseconds duration);
  void drain_wake() const;

  bool has_said_ = false;
};

void MqttSink::State::work() {
  std::chrono::milliseconds pause_for = kShortestPause;
  while (!is_over()) {
    MqttConnection connection;
    const std::string why = converse(connection);
    if (why.empty()) return;  // all is told, or there is no time left
    take_back_sent();
    fail(why);
    pause_for = connection.is_open() ? kShortestPause : std::min(pause_for * 2, kLongestPause);
    if (!pause(pause_for)) return;
  }
}

// From the connection's beginning to its end: why it ended, or empty where it was ours to end.
std::string MqttSink::State::converse(MqttConnection& connection) {
  const auto open_by = SteadyClock::now() + kConnecting;
  if (std::string why = connection.connect(options); !why.empty()) return why;
  while (!is_over()) {
    if (connection.is_open()) {
      send_waiting(connection);
      if (is_all_told()) {
        connection.close();
        return {};
      }
    }
    SteadyClock::time_point turn_ends;
    {
      const std::lock_guard lock(mutex);
      turn_ends = connection.is_open() ? end_by : std::min(end_by, open_by);
    }
    std::string why = connection.step(wake.get(), until(turn_ends));
    drain_wake();
    count(connection);
    if (!why.empty()) return why;
    if (!connection.is_open() && SteadyClock::now() >= open_by) return "no answer from the broker";
  }
  return {};
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

bool MqttSink::State::is_over() {
  const std::lock_guard lock(mutex);
  return is_ending && SteadyClock::now() >= end_by;
}

bool MqttSink::State::is_all_told() {
  const std::lock_guard lock(mutex);
  return is_ending && waiting.empty() && sent.empty();
}

// False where the end came before.
bool MqttSink::State::pause(std::chrono::milliseconds duration) {
  for (const auto ends = SteadyClock::now() + duration;;) {
    {
      const std::lock_guard lock(mutex);
      if (is_ending) return false;
    }
    const auto left = until(ends);
    if (left.count() == 0) return true;
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
  if (!state_->is_ending) finish(std::chrono::milliseconds(0));
}

void MqttSink::publish(std::string topic, std::string payload) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() + state_->sent.size() >= state_->options.max_waiting &&
        !state_->waiting.empty()) {
      state_->waiting.pop_front();
      ++state_->report.failed;
    }
    state_->waiting.push_back({std::move(topic), std::move(payload)});
  }
  state_->rouse();
}

void MqttSink::finish(std::chrono::milliseconds within) {
  constexpr std::chrono::milliseconds kGrace{250};  // for a thread that is about to end
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
    state_->end_by = SteadyClock::now() + within;
  }
  state_->rouse();
  thread_->wait(within + kGrace);
  const std::lock_guard lock(state_->mutex);
  state_->end_by = SteadyClock::time_point::min();
  state_->report.failed += state_->waiting.size() + state_->sent.size();
  if (state_->report.failed > 0 && state_->report.last_error.empty()) {
    state_->report.last_error = "no time, or no thread, to send it";
  }
  state_->waiting.clear();
  state_->sent.clear();
}

SinkReport MqttSink::report() const {
  const std::lock_guard lock(state_->mutex);
  return state_->report;
}

}  // namespace metricsd::exporters
