// How long a client may keep the daemon waiting.
#pragma once

namespace metricsd::server::http {

inline constexpr int kIdleSeconds = 120;     // between two requests of one connection
inline constexpr int kRequestSeconds = 10;   // for a whole request
inline constexpr int kResponseSeconds = 30;  // to take a whole response
inline constexpr int kLingerSeconds = 2;     // to read why it was refused

}  // namespace metricsd::server::http
