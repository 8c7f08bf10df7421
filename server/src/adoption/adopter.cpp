#include "adopter.h"

#include "adoption_notes.h"
#include "delivery.h"
#include "handing_in.h"
#include "orphan_search.h"
#include "orphans.h"
#include "segment_watch.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kLook{1};  // at the locks of those whose pid says nothing
constexpr int kLooksBetweenSearches = 5;  // through the directories

// Of the segments that there are descriptors for, so many are for those that are handed in.
std::size_t most_handed_in(std::size_t most_kept) {
  return std::clamp(most_kept / 4, std::size_t{1}, limits::kHandedIn);
}

std::size_t most_found(std::size_t most_kept) {
  return most_kept - std::min(most_kept, most_handed_in(most_kept));
}

}  // namespace

struct Adopter::State {
  State(const AdopterOptions& options, const std::vector<std::unique_ptr<Shard>>& shards, const Clock& clock,
        Logger logger_given)
      : logger(std::move(logger_given)),
        notes(clock, logger),
        handing_room(most_handed_in(options.most_kept)),
        delivery(loop, shards, clock, options.directories, orphans, notes, [this] { on_delivered(); }),
        watch(*loop, most_found(options.most_kept), orphans, delivery, notes),
        search(options.directories, most_found(options.most_kept), orphans, delivery, notes) {}

  void run() {
    try {
      loop->run();
    } catch (const std::exception& error) {
      logger.error("the adoption thread failed", {{"error", error.what()}});
      throw;
    }
  }

  void begin() {
    search.run();
    publish();
    look_now_and_then();
  }

  void look_now_and_then() {
    timer.expires_after(kLook);
    timer.async_wait([this](const error_code& error) {
      if (error) return;
      const bool is_time_to_search = ++looks % kLooksBetweenSearches == 0;
      watch.look(is_time_to_search);
      if (is_time_to_search) search.run();
      publish();
      look_now_and_then();
    });
  }

  void on_delivered() {
    publish();
    search.go_on();
  }

  void publish() { notes.publish(orphans.size() - delivery.under_way()); }

  // Its pointer is the shards' too, whose answers may come when the thread has ended.
  const std::shared_ptr<asio::io_context> loop = std::make_shared<asio::io_context>(1);
  asio::executor_work_guard<asio::io_context::executor_type> work{loop->get_executor()};
  asio::steady_timer timer{*loop};
  std::thread thread;

  // The thread's, but for what the notes publish.
  Logger logger;
  Orphans orphans;
  AdoptionNotes notes;
  HandingRoom handing_room;  // any thread's
  Delivery delivery;
  SegmentWatch watch;
  OrphanSearch search;
  unsigned looks = 0;
};

Adopter::Adopter(const AdopterOptions& options, const std::vector<std::unique_ptr<Shard>>& shards,
                 const Clock& clock, Logger logger)
    : state_(std::make_shared<State>(options, shards, clock, std::move(logger))) {}

Adopter::~Adopter() {
  stop();
}

void Adopter::start() {
  asio::post(*state_->loop, [state = state_.get()] { state->begin(); });
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void Adopter::stop() {
  if (!state_->thread.joinable()) return;
  state_->loop->stop();
  state_->thread.join();
}

// A handler must be copyable, a descriptor's owner is not.
SegmentIntake Adopter::intake() {
  return {.keep =
              [state = state_](uid_t uid, pid_t pid, std::string client_id, UniqueFd segment) {
                const auto shared = std::make_shared<UniqueFd>(std::move(segment));
                asio::post(*state->loop,
                           [state = state.get(), uid, pid, client_id = std::move(client_id), shared] {
                             state->watch.keep(uid, pid, client_id, std::move(*shared));
                           });
              },
          .let_go =
              [state = state_](uid_t uid, std::string client_id) {
                asio::post(*state->loop, [state = state.get(), uid, client_id = std::move(client_id)] {
                  state->watch.let_go(uid, client_id);
                });
              },
          .hold = [state = state_](uid_t by) { return state->handing_room.take(by); },
          .hand_in =
              [state = state_](UniqueFd segment, uid_t by, auto answer) {
                const auto place = state->handing_room.take(by);
                if (!place) return answer({.client_id = "", .error = std::string(ipc::kAdoptionBusy)});
                const auto answer_and_leave = [answer = std::move(answer), place](const auto& outcome) {
                  answer(outcome);
                };
                const auto shared = std::make_shared<UniqueFd>(std::move(segment));
                asio::post(*state->loop, [state = state.get(), by, shared, answer_and_leave] {
                  hand_in(std::move(*shared), by, answer_and_leave, state->orphans, state->delivery);
                });
              }};
}

AdoptionFigures Adopter::figures() const {
  return state_->notes.published();
}

}  // namespace metricsd::server
