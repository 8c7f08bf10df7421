// Making what a workload says fit the contract's rules for text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd {

// Valid UTF-8 without NUL and of at most `limit` bytes.
[[nodiscard]] bool is_clean(std::string_view text, std::size_t limit);

// Sets `out` to `text` as valid UTF-8 without NUL and of at most `limit` bytes: bad bytes become U+FFFD, what
// is too long is cut between two characters. False where that changed it.
bool assign_clean(std::string& out, std::string_view text, std::size_t limit);

// A JSON object's text without the white space between its tokens; "" for {}. Nothing for what is no object,
// nor within a line of the protocol.
[[nodiscard]] std::optional<std::string> compact_object(std::string_view json);

}  // namespace metricsd
