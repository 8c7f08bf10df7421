#include "shard.h"

#include "../aggregator.h"
#include "../line_budget.h"
#include "foldings.h"
#include "sliced_report.h"

#include <metricsd/models/limits.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {
namespace {

namespace asio = boost::asio;

// At the daemon's end: how long sockets are read for, and how much of one before the next has its turn.
constexpr std::int64_t kDrainNs = 700 * kNsPerMs;
constexpr std::size_t kDrainTurn = 4 * limits::kReadChunk;

}  // namespace

struct Shard::State {
  State(ShardOptions given, const Clock& clock_given, Logger logger_given, StatusSource source)
      : options(std::move(given)),
        clock(clock_given),
        logger(std::move(logger_given)),
        status_source(std::move(source)),
        aggregator(options.families, options.catalog, clock, options.store_id,
                   options.hasten_checkpoint ? Durability::of_checkpoints : Durability::of_the_daemon,
                   {.history = options.tasks, .is_saved_here = options.index == 0}),
        held(options.held_bytes),
        read_buffer(limits::kReadChunk),
        context{
            .aggregator = aggregator,
            .read_buffer = read_buffer,
            .logger = logger,
            .budget = budget,
            .held = held,
            .clock = clock,
            .other_shard_of = [this](uid_t uid, auto client_id) { return other_shard_of(uid, client_id); },
            .hand_over =
                [this](std::size_t shard, GreetedConnection connection) {
                  options.all[shard]->adopt(std::move(connection));
                },
            .segments = options.segments,
            .post = [this](auto job) { asio::post(io, std::move(job)); },
            .close = [this](Gauge::Owner id) { close(id); },
            .let_go =
                [this](Gauge::Owner id) { with_session(id, [](Session& session) { session.let_go(); }); },
            .ack_later = [this](auto session) { ack_later(std::move(session)); },
            .request_status = [this](auto deliver) { request_status(std::move(deliver)); },
            .note_change =
                [this] {
                  if (options.note_change) options.note_change();
                },
            .hasten_checkpoint =
                [this] {
                  if (options.hasten_checkpoint) options.hasten_checkpoint();
                },
            .forget = [this](Gauge::Owner id) { forget(id); }} {}

  // What no handler caught ends the daemon; the log says why.
  void run() {
    try {
      io.run();
    } catch (const std::exception& error) {
      logger.error("an ingest thread failed", {{"error", error.what()}});
      throw;
    }
  }

  void request_status(std::function<void(const std::string&)> deliver) {
    status_source([this, deliver = std::move(deliver)](std::string document) {
      asio::post(io, [deliver, document = std::move(document)] { deliver(document); });
    });
  }

  // Null where the reactor does not take it.
  std::shared_ptr<Session> open(Arrival arrival) {
    asio::local::stream_protocol::socket socket(io);
    error_code error;
    socket.assign(asio::local::stream_protocol(), arrival.socket.get(), error);
    if (error) {
      logger.error("connection lost: the reactor did not take it", {{"error", error.message()}});
      --connections;
      return nullptr;
    }
    (void)arrival.socket.release();
    const Gauge::Owner id = arrival.id;
    auto session = std::make_shared<Session>(context, std::move(socket), std::move(arrival));
    sessions.emplace(id, session);
    return session;
  }

  void close(Gauge::Owner id) {
    if (foldings.close(id)) return;
    with_session(id, [](Session& session) { session.close(); });
  }

  template <class Act>
  void with_session(Gauge::Owner id, const Act& act) {
    const auto found = sessions.find(id);
    if (found == sessions.end()) return;
    const auto session = found->second;  // closing takes it off the list
    act(*session);
  }

  [[nodiscard]] std::optional<std::size_t> other_shard_of(uid_t uid, std::string_view client_id) const {
    const std::size_t shard = shard_of(uid, client_id, options.all.size());
    return shard == options.index ? std::nullopt : std::optional(shard);
  }

  void fold(std::shared_ptr<const PreparedSegment> segment, Gauge::Owner id, const FoldDone& done) {
    const auto older = aggregator.connection_of(segment->uid, segment->reader.client_id());
    if (older) close(*older);
    foldings.begin(std::move(segment), id, done);
  }

  void cut(std::string& out, Extent extent) {
    aggregator.cut(out, extent);
    foldings.note_cut();
  }

  void settle() {
    foldings.settle();
    for (const Gauge::Owner id : aggregator.settle()) {
      const auto found = sessions.find(id);
      if (found == sessions.end()) continue;
      const auto session = found->second;  // who takes no answers is closed
      session->send_ack();
    }
  }

  void ack_later(std::shared_ptr<Session> session) {
    ack_owed.push_back(std::move(session));
    if (ack_owed.size() > 1) return;
    ack_timer.expires_after(std::chrono::nanoseconds(limits::kAckNs));
    ack_timer.async_wait([this](const error_code& error) {
      if (error) return;
      for (const auto& owed : std::exchange(ack_owed, {})) owed->send_ack();
    });
  }

  void forget(Gauge::Owner id) {
    sessions.erase(id);
    --connections;
  }

  // No memory for a copy is the reader's trouble, not the senders'.
  void report(const std::shared_ptr<SlicedReport>& pending) {
    try {
      if (pending->copy_slice()) {
        asio::post(io, [this, pending] { report(pending); });
      } else {
        pending->finish();
      }
    } catch (...) {
      pending->fail(std::current_exception());
    }
  }

  // Every session has a turn before any has its second, until none has more.
  void drain() {
    const std::int64_t deadline_ns = clock.monotonic_ns() + kDrainNs;
    const auto has_no_more = [&](const std::shared_ptr<Session>& session) {
      if (clock.monotonic_ns() >= deadline_ns) return false;
      const std::uint64_t bytes_before = aggregator.totals().bytes;
      session->drain(kDrainTurn);
      return aggregator.totals().bytes == bytes_before;
    };
    auto reading = all_sessions();
    while (!reading.empty() && clock.monotonic_ns() < deadline_ns) std::erase_if(reading, has_no_more);
    for (const auto& session : all_sessions()) session->stop_reading();
  }

  void close_all() {
    for (const auto& session : all_sessions()) end(*session);
  }

  static void end(Session& session) {
    session.send_ack();
    session.close();
  }

  [[nodiscard]] std::vector<std::shared_ptr<Session>> all_sessions() const {
    std::vector<std::shared_ptr<Session>> all;
    all.reserve(sessions.size());
    for (const auto& [id, session] : sessions) all.push_back(session);
    return all;
  }

  // First, so that it goes last: sessions hold sockets of it.
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};

  const ShardOptions options;
  const Clock& clock;
  Logger logger;
  const StatusSource status_source;
  LineBudget budget;
  Aggregator aggregator;
  HeldBytes held;
  std::vector<char> read_buffer;
  SessionContext context;
  std::map<Gauge::Owner, std::shared_ptr<Session>> sessions;
  Foldings foldings{io, aggregator, options.hasten_checkpoint};
  asio::steady_timer ack_timer{io};  // runs while an ack is owed
  std::vector<std::shared_ptr<Session>> ack_owed;
  std::atomic<std::size_t> connections = 0;

  std::thread thread;
};

std::size_t shard_of(uid_t uid, std::string_view client_id, std::size_t shards) {
  return (std::hash<std::string_view>{}(client_id) + uid) % shards;
}

Shard::Shard(ShardOptions options, const Clock& clock, Logger logger, StatusSource status_source)
    : state_(
          std::make_unique<State>(std::move(options), clock, std::move(logger), std::move(status_source))) {}

Shard::~Shard() {
  stop();
}

LoadReport Shard::restore(const ShardState& left, bool with_totals, std::int64_t ago_ns) {
  const auto is_ours = [state = state_.get()](uid_t uid, std::string_view client_id) {
    return shard_of(uid, client_id, state->options.all.size()) == state->options.index;
  };
  return state_->aggregator.restore(left, with_totals, is_ours, ago_ns);
}

void Shard::start() {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void Shard::adopt(Arrival arrival) {
  ++state_->connections;
  // A handler must be copyable, a descriptor's owner is not.
  const auto shared = std::make_shared<Arrival>(std::move(arrival));
  asio::post(state_->io, [state = state_.get(), shared] {
    if (const auto session = state->open(std::move(*shared))) session->start();
  });
}

void Shard::adopt(GreetedConnection connection) {
  ++state_->connections;
  const auto shared = std::make_shared<GreetedConnection>(std::move(connection));
  asio::post(state_->io, [state = state_.get(), shared] {
    if (const auto session = state->open(std::move(shared->connection))) {
      session->start(shared->hello, shared->rest);
    }
  });
}

void Shard::fold(std::shared_ptr<const PreparedSegment> segment, std::uint64_t id, FoldDone done) {
  asio::post(state_->io, [state = state_.get(), segment = std::move(segment), id, done = std::move(done)] {
    state->fold(segment, id, done);
  });
}

void Shard::count_refused(std::map<Errc, std::uint64_t> refused) {
  asio::post(state_->io, [state = state_.get(), refused = std::move(refused)] {
    for (const auto& [reason, count] : refused) state->aggregator.refuse(reason, count);
  });
}

void Shard::probe(std::function<void()> answer) {
  asio::post(state_->io, std::move(answer));
}

void Shard::expire(std::shared_ptr<Expiry> expiry) {
  asio::post(state_->io, [state = state_.get(), expiry = std::move(expiry)] {
    Aggregator& aggregator = state->aggregator;
    if (expiry->agree(aggregator.registry())) aggregator.forget(expiry->idle(), expiry->before_ns());
  });
}

std::future<ShardReport> Shard::report(ReportParts parts) {
  const auto pending = std::make_shared<SlicedReport>(parts, state_->aggregator, state_->clock);
  auto future = pending->future();
  asio::post(state_->io, [state = state_.get(), pending] { state->report(pending); });
  return future;
}

std::size_t Shard::connections() const {
  return state_->connections;
}

std::future<ShardCut> Shard::cut(Extent extent) {
  const auto promise = std::make_shared<std::promise<ShardCut>>();
  asio::post(state_->io, [state = state_.get(), promise, extent] {
    try {
      const std::int64_t began_ns = state->clock.monotonic_ns();
      ShardCut cut;
      state->cut(cut.bytes, extent);
      cut.pause_ns = state->clock.monotonic_ns() - began_ns;
      promise->set_value(std::move(cut));
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  });
  return promise->get_future();
}

void Shard::settle() {
  asio::post(state_->io, [state = state_.get()] { state->settle(); });
}

void Shard::drain() {
  asio::post(state_->io, [state = state_.get()] { state->drain(); });
}

void Shard::stop() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [state = state_.get()] {
    state->close_all();
    state->io.stop();
  });
  state_->thread.join();
}

}  // namespace metricsd::server
