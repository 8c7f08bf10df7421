#include "profile.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/json/fields.h>
#include <metricsd/models/json/writer.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace metricsd::tools {

namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr Collect kAll{};
constexpr Collect kCpuAndMemory{
    .disk_io = false, .network_io = false, .threads = false, .file_descriptors = false};
constexpr Collect kCpuMemoryAndDisk{.network_io = false, .threads = false, .file_descriptors = false};
constexpr Collect kAllButDisk{.disk_io = false};

constexpr std::array<NamedProfile, 6> kBuiltIn{{
    {"standard", {.interval = seconds(10), .collect = kAll, .history_size = 100}},
    {"minimal",
     {.interval = seconds(60),
      .collect = kCpuAndMemory,
      .export_to_mqtt = false,
      .retain_history = false,
      .history_size = 0}},
    {"intensive", {.interval = seconds(1), .collect = kAll, .history_size = 1000}},
    {"batch", {.interval = seconds(30), .collect = kCpuMemoryAndDisk, .history_size = 200}},
    {"realtime", {.interval = seconds(5), .collect = kAllButDisk, .history_size = 500}},
    {"daemon", {.interval = seconds(120), .collect = kAll, .history_size = 500}},
}};

struct Flag {
  std::string_view key;
  bool& (*of)(Profile&);
};

constexpr std::string_view kInterval = "interval";
constexpr std::string_view kHistorySize = "history_size";

constexpr std::array<Flag, 9> kFlags{{
    {"enabled", [](Profile& profile) -> bool& { return profile.enabled; }},
    {"collect_cpu", [](Profile& profile) -> bool& { return profile.collect.cpu; }},
    {"collect_memory", [](Profile& profile) -> bool& { return profile.collect.memory; }},
    {"collect_disk_io", [](Profile& profile) -> bool& { return profile.collect.disk_io; }},
    {"collect_network_io", [](Profile& profile) -> bool& { return profile.collect.network_io; }},
    {"collect_threads", [](Profile& profile) -> bool& { return profile.collect.threads; }},
    {"collect_file_descriptors", [](Profile& profile) -> bool& { return profile.collect.file_descriptors; }},
    {"export_to_mqtt", [](Profile& profile) -> bool& { return profile.export_to_mqtt; }},
    {"retain_history", [](Profile& profile) -> bool& { return profile.retain_history; }},
}};

// "" where the value is what the key takes; else what it must be.
std::string set_flag(bool& flag, const json::value& value) {
  if (!value.is_bool()) return "true or false";
  flag = value.get_bool();
  return {};
}

std::string set_interval(Profile& profile, const json::value& value) {
  const auto number = read_number(value);
  const auto interval = number ? interval_of_seconds(*number) : std::nullopt;
  if (!interval) return "a number of seconds from 0.01 to 86400";
  profile.interval = *interval;
  return {};
}

std::string set_history_size(Profile& profile, const json::value& value) {
  const auto size = read_whole(value, kLargestHistory);
  if (!size) return "a whole number from 0 to 10000";
  profile.history_size = static_cast<std::uint32_t>(*size);
  return {};
}

// What is wrong with one key, or "".
std::string set_key(Profile& profile, std::string_view key, const json::value& value) {
  const auto* const flag =
      std::find_if(kFlags.begin(), kFlags.end(), [key](const Flag& each) { return each.key == key; });
  std::string wanted;
  if (flag != kFlags.end()) {
    wanted = set_flag(flag->of(profile), value);
  } else if (key == kInterval) {
    wanted = set_interval(profile, value);
  } else if (key == kHistorySize) {
    wanted = set_history_size(profile, value);
  } else {
    return "there is no key \"" + std::string(key) + "\"";
  }
  return wanted.empty() ? wanted : std::string(key) + " must be " + wanted;
}

}  // namespace

std::span<const NamedProfile> built_in_profiles() {
  return kBuiltIn;
}

const Profile* find_profile(std::string_view name) {
  const auto* const found = std::find_if(kBuiltIn.begin(), kBuiltIn.end(),
                                         [name](const NamedProfile& each) { return each.name == name; });
  return found == kBuiltIn.end() ? nullptr : &found->profile;
}

std::optional<Profile> read_profile(const json::value& value, const Profile& base, std::string& why) {
  const auto* const object = value.if_object();
  if (object == nullptr) {
    why = "a profile must be a JSON object";
    return std::nullopt;
  }
  Profile profile = base;
  for (const auto& member : *object) {
    why = set_key(profile, member.key(), member.value());
    if (!why.empty()) return std::nullopt;
  }
  return profile;
}

std::optional<Profile> parse_profile(std::string_view text, const Profile& base, std::string& why) {
  std::string key;
  const auto value = parse_json(text, key);
  if (value) return read_profile(*value, base, why);
  why = "a profile must be JSON: " + (key.empty() ? "" : "\"" + key + "\": ") + value.error().message();
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> interval_of_seconds(double wanted) {
  if (!std::isfinite(wanted) || std::abs(wanted) > 1e9) return std::nullopt;
  const std::chrono::nanoseconds interval(std::llround(wanted * 1e9));
  if (interval < kShortestInterval || interval > kLongestInterval) return std::nullopt;
  return interval;
}

std::string render_profile(const Profile& profile) {
  Profile copy = profile;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  for (const Flag& flag : kFlags) {
    writer.field(flag.key, flag.of(copy));
    if (flag.key == "enabled")
      writer.field(kInterval, std::chrono::duration<double>(profile.interval).count());
  }
  writer.field(kHistorySize, profile.history_size).end_object();
  return out;
}

}  // namespace metricsd::tools
