// UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace metricsd {

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

// Appends `text` with U+FFFD for each byte that belongs to no character.
void append_valid_utf8(std::string& out, std::string_view text);

// The longest prefix of at most `max_bytes` that does not cut a character in two.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept;

}  // namespace metricsd
