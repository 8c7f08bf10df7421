// Proof that the daemon is alive: each part is asked in turn to answer from its own thread, and only when all
// have is the watchdog told. One that is stuck therefore stops it, and who watches ends the daemon.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {

// Lives on the thread of its io_context.
class Watchdog {
 public:
  // Has a part call what it is given, once, on its own thread.
  using Probe = std::function<void(std::function<void()>)>;

  // `io` outlives the watchdog and the answers of the parts.
  Watchdog(boost::asio::io_context& io, std::vector<Probe> parts, std::function<void()> tell);

  // Asks now, and `interval_ns` after each time that all have answered.
  void start(std::int64_t interval_ns);

 private:
  void ask_all();
  void on_all_answered();

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  const std::vector<Probe> parts_;
  const std::function<void()> tell_;
  std::int64_t interval_ns_ = 0;
};

}  // namespace metricsd::server
