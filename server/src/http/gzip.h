// Compression for who asks for it (RFC 1952).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace metricsd::server::http {

// The longest text that gzip() takes.
inline constexpr std::size_t kGzipMost = std::size_t{1} << 31;

// Quick rather than thorough: a page of metrics shrinks to less than a tenth either way, and who scrapes is
// waiting. Throws std::bad_alloc without memory.
[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace metricsd::server::http
