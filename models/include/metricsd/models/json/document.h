// JSON documents. Reading is strict: what Boost.JSON's own parse lets pass (duplicate keys, numbers that
// become infinite) is refused here. For documents and rare messages; operations have a reader of their own
// (operation_json.h).
#pragma once

#include <metricsd/models/errors.h>

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace metricsd {

// The whole of `text` as one JSON value (RFC 8259). Depth at most limits::kJsonDepth.
// Errors: malformed_json, too_deep, duplicate_field, out_of_range (a number no double can hold).
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text);
// The same; on an error `key` is the last one that was read before it, "" where there was none.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text, std::string& key);

// Appends a value as compact JSON, numbers as short as they read back (Boost.JSON's own writer makes 0.4375
// into 4.375E-1).
void append_json(std::string& out, const boost::json::value& value);

// What Boost.JSON's parser says, as an Errc of ours.
[[nodiscard]] Errc json_errc(const error_code& error) noexcept;

}  // namespace metricsd
