// Takes connections from the daemon's socket and deals them to the shards in turn. Who may not send, or has
// as many connections as a user may have, is let go at once and counted.
//
// It outlives every error of accept: it waits a moment, says so, and goes on. It leaves a reserve of
// descriptors to HTTP, so that a scrape works however many senders there are.
#pragma once

#include "../line_budget.h"
#include "../log.h"
#include "allow_list.h"
#include "shard.h"
#include "user_limits.h"

#include <metricsd/models/clock.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {

struct AcceptorOptions {
  std::size_t max_connections = 0;  // of all users
  AllowList allowed;
  UserLimits& users;
};

// Lives on the thread of its io_context.
class Acceptor {
 public:
  // `listener` is a non-blocking listening socket that stays the caller's; everything given outlives the
  // acceptor.
  Acceptor(boost::asio::io_context& io, int listener, std::vector<std::unique_ptr<Shard>>& shards,
           AcceptorOptions options, const Clock& clock, Logger logger);
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
  Pause accept_up_to(int at_most);
  void admit(UniqueFd socket);
  void refuse(const ipc::PeerCredentials& peer, Errc reason);
  Pause on_error(int error);
  void note(std::string_view event, int error);
  [[nodiscard]] std::size_t connections() const;

  boost::asio::posix::stream_descriptor listener_;
  boost::asio::steady_timer timer_;
  std::vector<std::unique_ptr<Shard>>& shards_;
  const AcceptorOptions options_;
  const Clock& clock_;
  Logger logger_;
  LineBudget budget_;
  std::uint64_t accepted_ = 0;
  std::map<Errc, std::uint64_t> refused_;  // in this turn
};

}  // namespace metricsd::server
