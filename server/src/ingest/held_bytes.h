// What a shard holds in memory for its peers' sake: lines that have not ended, answers that are not read.
// Each has a bound of its own; this bounds their sum, whatever the number of connections. When it is too
// much, who has kept it waiting for longest goes: an honest line ends within milliseconds.
#pragma once

#include <metricsd/models/registry.h>

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>

namespace metricsd::server {

// One thread.
class HeldBytes {
 public:
  explicit HeldBytes(std::size_t most) : most_(most) {}

  // What is held for a connection now; 0 takes it off. It `begins_anew` where nothing of it was held before.
  void set(Gauge::Owner connection, std::size_t bytes, bool begins_anew);
  // Who goes, where more is held than may be.
  [[nodiscard]] std::optional<Gauge::Owner> surplus() const;
  [[nodiscard]] std::size_t sum() const { return sum_; }

 private:
  struct Entry {
    Gauge::Owner connection = 0;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  const std::size_t most_;
  std::size_t sum_ = 0;
  Entries by_age_;  // the oldest first
  std::unordered_map<Gauge::Owner, Entries::iterator> places_;
};

}  // namespace metricsd::server
