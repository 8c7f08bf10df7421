// URLs as they stand on a command line: `SCHEME://HOST[:PORT][/PATH]`, nothing else in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

struct Url {
  std::string scheme;      // as it was written
  std::string host;        // an IPv6 address without its brackets
  std::uint16_t port = 0;  // 0: the scheme's
  std::string path{};      // "" or "/..."

  bool operator==(const Url&) const = default;
};

// Nothing for what has another form, or a user, a query, a fragment, white space, a control character, a
// quote or a backslash in it.
[[nodiscard]] std::optional<Url> split_url(std::string_view text);

// What may be said of a text that was meant for a URL: without the user and the password that may be in it.
[[nodiscard]] std::string without_user(std::string_view text);

// `SCHEME://HOST[:PORT]`.
[[nodiscard]] std::string origin_of(const Url& url);

}  // namespace metricsd::tools
