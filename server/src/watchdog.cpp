#include "watchdog.h"

#include <metricsd/models/errors.h>

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace metricsd::server {

Watchdog::Watchdog(boost::asio::io_context& io, std::vector<Probe> parts, std::function<void()> tell)
    : io_(io), timer_(io), parts_(std::move(parts)), tell_(std::move(tell)) {}

void Watchdog::start(std::int64_t interval_ns) {
  interval_ns_ = interval_ns;
  ask_all();
}

void Watchdog::ask_all() {
  const auto owed = std::make_shared<std::atomic<std::size_t>>(parts_.size());
  for (const Probe& ask : parts_) {
    ask([this, owed] {
      if (--*owed == 0) boost::asio::post(io_, [this] { on_all_answered(); });
    });
  }
}

void Watchdog::on_all_answered() {
  tell_();
  timer_.expires_after(std::chrono::nanoseconds(interval_ns_));
  timer_.async_wait([this](const error_code& error) {
    if (!error) ask_all();
  });
}

}  // namespace metricsd::server
