// Where HTTP listens, as a flag says it.
#pragma once

#include <metricsd/models/errors.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd::server {

struct ListenAddress {
  std::string host;  // a name or a number; "0.0.0.0" where none was given
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

// `HOST:PORT`, `[IPv6]:PORT` or `:PORT`, which is every IPv4 address of the machine. Errc::out_of_range
// otherwise.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

// As a URL has it: an IPv6 number stands in brackets.
[[nodiscard]] std::string to_string(const ListenAddress& address);

}  // namespace metricsd::server
