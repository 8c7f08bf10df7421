#include "gateway_path.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace metricsd::tools {

namespace {

constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_unreserved(char c) {
  return kUrlSafe.find(c) != std::string_view::npos || c == '.' || c == '~';
}

// RFC 4648 section 5, without padding.
void append_base64url(std::string& out, std::string_view bytes) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kUrlSafe[bits >> (count - 6) & 0x3F];
  }
  if (count > 0) out += kUrlSafe[bits << (6 - count) & 0x3F];
}

// RFC 3986 section 2.1.
void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 0x0F]};
    }
  }
}

}  // namespace

std::string gateway_path(std::string_view base, std::string_view job) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string path(base);
  const bool is_dots = std::all_of(job.begin(), job.end(), [](char c) { return c == '.'; });
  if (is_dots || job.find('/') != std::string_view::npos) {
    append_base64url(path += "/metrics/job@base64/", job);
  } else {
    append_escaped(path += "/metrics/job/", job);
  }
  return path;
}

}  // namespace metricsd::tools
