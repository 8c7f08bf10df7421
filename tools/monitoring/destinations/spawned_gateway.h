// A Pushgateway of the run's own, on a free port of the loopback interface: detached, with a shell beside it
// that ends it when this process closes a pipe, however it does so.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <optional>
#include <string>

namespace metricsd::tools {

class SpawnedGateway {
 public:
  // Waits until it listens. Nothing, and why in one line, where it is not installed or does not start.
  [[nodiscard]] static std::optional<SpawnedGateway> start(std::string& why);

  // http://127.0.0.1:PORT
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  SpawnedGateway(UniqueFd lifeline, std::uint16_t port) : lifeline_(std::move(lifeline)), port_(port) {}

  UniqueFd lifeline_;  // it lives as long as this is open
  std::uint16_t port_;
};

}  // namespace metricsd::tools
