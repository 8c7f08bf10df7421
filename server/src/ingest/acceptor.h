// Takes connections from the daemon's socket and deals them to the shards in turn.
//
// It outlives every error of accept: it waits a moment, says so, and goes on. It leaves a reserve of
// descriptors to HTTP, so that a scrape works however many senders there are.
#pragma once

#include "../line_budget.h"
#include "../log.h"
#include "shard.h"

#include <metricsd/models/clock.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {

// Lives on the thread of its io_context.
class Acceptor {
 public:
  // `listener` is a non-blocking listening socket that stays the caller's; everything given outlives the
  // acceptor.
  Acceptor(boost::asio::io_context& io, int listener, std::vector<std::unique_ptr<Shard>>& shards,
           std::size_t max_connections, const Clock& clock, Logger logger);
  ~Acceptor();

  void start();
  // Takes the connections that wait already, then no more.
  void stop();

 private:
  // How accepting came to a stop.
  enum class Pause { until_ready, for_a_while };

  void wait_ready();
  void wait_a_while();
  Pause accept_waiting(int at_most);
  Pause on_error(int error);
  void note(std::string_view event, int error);
  [[nodiscard]] std::size_t connections() const;

  boost::asio::posix::stream_descriptor listener_;
  boost::asio::steady_timer timer_;
  std::vector<std::unique_ptr<Shard>>& shards_;
  const std::size_t max_connections_;
  const Clock& clock_;
  Logger logger_;
  LineBudget budget_;
  std::uint64_t accepted_ = 0;
};

}  // namespace metricsd::server
