// How the shards let idle series go: each in all of them or in none, so that no sum over the shards falls
// while one of them still counts.
//
// Each shard comes between two chunks, strikes what it has been told of since the list was made, and waits
// for the others. Once all are there nothing is being counted anywhere; each lets go what is left of the list
// before it counts on. A shard that is late calls it off for all: the next scrape makes a new list.
#pragma once

#include <metricsd/models/registry.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace metricsd::server {

class Expiry {
 public:
  // A shard comes between two chunks, in milliseconds; the others do not stand still longer than this.
  static constexpr std::chrono::milliseconds kPatience{100};

  // `idle` are the series that were last told of before `before_ns` on the monotonic clock.
  Expiry(SeriesKeys idle, std::int64_t before_ns, std::size_t shards,
         std::chrono::milliseconds patience = kPatience)
      : idle_(std::move(idle)), before_ns_(before_ns), awaited_(shards), patience_(patience) {}
  Expiry(const Expiry&) = delete;
  Expiry& operator=(const Expiry&) = delete;

  // Once for each shard, on its thread. Waits for the others; true where the shard is to forget idle() at
  // once.
  [[nodiscard]] bool agree(const Registry& registry);

  // Once it is agreed on it changes no more, and any thread may read it.
  [[nodiscard]] const SeriesKeys& idle() const { return idle_; }
  [[nodiscard]] std::int64_t before_ns() const { return before_ns_; }

 private:
  enum class State : std::uint8_t { gathering, agreed, called_off };

  void settle(State state);

  SeriesKeys idle_;
  const std::int64_t before_ns_;
  std::size_t awaited_;
  const std::chrono::milliseconds patience_;
  State state_ = State::gathering;
  std::mutex mutex_;
  std::condition_variable settled_;
};

}  // namespace metricsd::server
