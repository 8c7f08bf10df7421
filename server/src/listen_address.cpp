#include "listen_address.h"

#include <charconv>
#include <optional>

namespace metricsd::server {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Errc::out_of_range;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return Errc::out_of_range;

  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.empty()) return Errc::out_of_range;
  } else if (host.find(':') != std::string_view::npos) {
    return Errc::out_of_range;  // an IPv6 number without brackets: which colon is the port's?
  }
  return ListenAddress{host.empty() ? "0.0.0.0" : std::string(host), *port};
}

std::string to_string(const ListenAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

}  // namespace metricsd::server
