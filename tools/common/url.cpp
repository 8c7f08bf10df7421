#include "url.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace metricsd::tools {

namespace {

constexpr std::string_view kSeparator = "://";
constexpr std::string_view kOfSchemes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.";

bool has_no_place_in_a_url(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F ||
         std::string_view("\"\\?#@").find(c) != std::string_view::npos;
}

// `HOST`, `HOST:PORT`, `[V6]` or `[V6]:PORT`.
bool read_authority(std::string_view text, Url& url) {
  const bool is_v6 = text.starts_with('[');
  const auto host_end = is_v6 ? text.find(']') : text.find(':');
  if (is_v6 && host_end == std::string_view::npos) return false;
  url.host = is_v6 ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  if (url.host.empty()) return false;
  text = host_end == std::string_view::npos ? std::string_view() : text.substr(host_end + (is_v6 ? 1 : 0));
  if (text.empty()) return true;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), url.port);
  return text[0] == ':' && error == std::errc() && end == text.data() + text.size() && url.port != 0;
}

}  // namespace

std::optional<Url> split_url(std::string_view text) {
  const auto scheme_end = text.find(kSeparator);
  if (scheme_end == std::string_view::npos || scheme_end == 0) return std::nullopt;
  if (std::any_of(text.begin(), text.end(), has_no_place_in_a_url)) return std::nullopt;
  Url url;
  url.scheme = text.substr(0, scheme_end);
  text.remove_prefix(scheme_end + kSeparator.size());
  const auto path = text.find('/');
  if (path != std::string_view::npos) url.path = text.substr(path);
  if (!read_authority(text.substr(0, path), url)) return std::nullopt;
  return url;
}

std::string without_user(std::string_view text) {
  const auto user_end = text.rfind('@');  // whatever the password has in it
  if (user_end == std::string_view::npos) return std::string(text);
  const auto scheme_end = text.find_first_not_of(kOfSchemes);
  const bool has_scheme = scheme_end < user_end && text.substr(scheme_end).starts_with(kSeparator);
  const auto user = has_scheme ? scheme_end + kSeparator.size() : 0;
  return std::string(text.substr(0, user)) += text.substr(user_end + 1);
}

std::string origin_of(const Url& url) {
  std::string origin = url.scheme + "://";
  const bool is_v6 = url.host.find(':') != std::string::npos;
  origin += is_v6 ? '[' + url.host + ']' : url.host;
  if (url.port != 0) origin += ':' + std::to_string(url.port);
  return origin;
}

}  // namespace metricsd::tools
