// How closely something is watched: a profile, by name, from JSON, or the one a task gets by itself.
//
// As JSON a profile is an object with these keys and no others, each of them optional: enabled, interval
// (seconds; fractions allowed), collect_cpu, collect_memory, collect_disk_io, collect_network_io,
// collect_threads, collect_file_descriptors, export_to_mqtt, retain_history, history_size.
#pragma once

#include "process_sample.h"

#include <metricsd/models/errors.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace metricsd::tools {

struct Profile {
  bool enabled = true;  // false: nothing is sampled, written or told
  std::chrono::nanoseconds interval{};
  Collect collect{};
  bool export_to_mqtt = true;
  bool retain_history = true;  // in the daemon
  std::uint32_t history_size = 0;

  // Samples of each role that the daemon is to keep.
  [[nodiscard]] std::uint32_t samples_kept() const { return retain_history ? history_size : 0; }
  bool operator==(const Profile&) const = default;
};

inline constexpr std::chrono::nanoseconds kShortestInterval = std::chrono::milliseconds(10);
inline constexpr std::chrono::nanoseconds kLongestInterval = std::chrono::hours(24);
inline constexpr std::uint32_t kLargestHistory = 10'000;

struct NamedProfile {
  std::string_view name;
  Profile profile;
};

// standard, minimal, intensive, batch, realtime, daemon: the explicit list.
[[nodiscard]] std::span<const NamedProfile> built_in_profiles();
[[nodiscard]] const Profile* find_profile(std::string_view name);

// `base` with what the object says of it. On a fault `why` says it in one line that names the key.
[[nodiscard]] std::optional<Profile> read_profile(const boost::json::value& value, const Profile& base,
                                                  std::string& why);
// The same of JSON text.
[[nodiscard]] std::optional<Profile> parse_profile(std::string_view text, const Profile& base,
                                                   std::string& why);
// An interval in seconds from 0.01 to 86400, or nothing.
[[nodiscard]] std::optional<std::chrono::nanoseconds> interval_of_seconds(double seconds);

// All keys, as read_profile() takes them.
[[nodiscard]] std::string render_profile(const Profile& profile);

}  // namespace metricsd::tools
