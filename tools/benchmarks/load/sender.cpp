#include "sender.h"

#include "answers.h"

#include <array>
#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace metricsd::load {

namespace {

using Clock = std::chrono::steady_clock;

// Answers still missing before the sender waits: enough to hide the way there and back, too few to fill a
// buffer.
constexpr std::uint64_t kEventsUnanswered = 64;
// How often a peer's unasked lines (acks) are taken, so that they never fill its socket.
constexpr std::uint64_t kWritesBetweenLooks = 64;

// One connection and what goes over it.
class Stream {
 public:
  Stream(const SendOptions& options, Payload payload)
      : options_(options),
        payload_(std::move(payload)),
        connection_(Connection::open(options.address)),
        answers_(std::string(options.dialect->answer)) {
    if (options.dialect->greeting != nullptr) greet();
  }

  void run() {
    const Clock::time_point end = Clock::now() + options_.max_duration;
    while (!done(end)) {
      for (const Write& write : payload_.writes()) {
        send(write);
        if (done(end)) break;
      }
    }
    wait_for_answers(0);
    connection_.finish();
  }

  [[nodiscard]] const Sent& sent() const { return sent_; }

 private:
  [[nodiscard]] bool done(Clock::time_point end) const {
    return (options_.max_events != 0 && sent_.events >= options_.max_events) || Clock::now() >= end;
  }

  void greet() {
    connection_.write(options_.dialect->greeting());
    while (!std::string_view(buffer_.data(), read_some()).ends_with('\n')) {
    }
  }

  void send(const Write& write) {
    const std::string_view bytes = payload_.bytes(write);
    connection_.write(bytes);
    payload_.advance(write);
    sent_.bytes += bytes.size();
    sent_.events += options_.events_a_write;
    ++sent_.writes;
    if (options_.dialect->answers_an_event > 0) wait_for_answers(kEventsUnanswered);
    if (sent_.writes % kWritesBetweenLooks == 0) take_answers(connection_.read_waiting(buffer_));
  }

  void wait_for_answers(std::uint64_t events_unanswered) {
    const unsigned each = options_.dialect->answers_an_event;
    while (answers_.count() + events_unanswered * each < sent_.events * each) take_answers(read_some());
  }

  std::size_t read_some() {
    const std::size_t taken = connection_.read(buffer_);
    if (taken == 0) throw std::system_error(EPIPE, std::generic_category(), "the peer closed");
    return taken;
  }

  void take_answers(std::size_t taken) {
    if (options_.dialect->answers_an_event > 0) answers_.take({buffer_.data(), taken});
  }

  const SendOptions& options_;
  Payload payload_;
  Connection connection_;
  AnswerCounter answers_;
  Sent sent_;
  std::array<char, 65536> buffer_;
};

// Runs all of them at once; throws what the first to fail threw.
void run_all(std::vector<Stream>& streams) {
  std::vector<std::exception_ptr> failures(streams.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    threads.emplace_back([&stream = streams[i], &failure = failures[i]] {
      try {
        stream.run();
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

Sent send(const SendOptions& options) {
  const Payload payload = render_ring(*options.dialect, options.events_a_write);
  std::vector<Stream> streams;
  streams.reserve(options.connections);
  for (unsigned i = 0; i < options.connections; ++i) streams.emplace_back(options, payload);

  const Clock::time_point begin = Clock::now();
  run_all(streams);
  Sent total;
  total.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  for (const Stream& stream : streams) {
    total.events += stream.sent().events;
    total.writes += stream.sent().writes;
    total.bytes += stream.sent().bytes;
  }
  return total;
}

}  // namespace metricsd::load
