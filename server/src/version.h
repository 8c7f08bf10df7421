#pragma once

#include <string_view>

namespace metricsd::server {

// The project's version, "0.1.0".
[[nodiscard]] std::string_view version() noexcept;

}  // namespace metricsd::server
