#include "profile_choice.h"

#include "input_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdlib>

#include <boost/json/value.hpp>

namespace metricsd::tools {

namespace {

constexpr const char* kEnable = "METRICSD_ENABLE_MONITORING";
constexpr const char* kInterval = "METRICSD_MONITORING_INTERVAL";
constexpr const char* kIntervalForm = " must be a number of seconds from 0.01 to 86400";
constexpr std::size_t kLargestFile = 64 * 1024;  // eleven keys

std::optional<bool> parse_switch(std::string text) {
  constexpr std::array<std::string_view, 4> kOn{"true", "1", "yes", "on"};
  constexpr std::array<std::string_view, 4> kOff{"false", "0", "no", "off"};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(kOn.begin(), kOn.end(), text) != kOn.end()) return true;
  if (std::find(kOff.begin(), kOff.end(), text) != kOff.end()) return false;
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> parse_interval(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return interval_of_seconds(seconds);
}

// These set `profile` to what they say of it; "" or what is wrong.
// A variable is not read where its flag stands in its place.
std::string apply_environment(Profile& profile, const ProfileFlags& flags, const Variables& variables) {
  if (const auto text = flags.enabled ? std::nullopt : variables(kEnable)) {
    const auto enabled = parse_switch(*text);
    if (!enabled) return std::string(kEnable) + " must be true or false";
    profile.enabled = *enabled;
  }
  if (const auto text = flags.interval_seconds ? std::nullopt : variables(kInterval)) {
    const auto interval = parse_interval(*text);
    if (!interval) return std::string(kInterval) + kIntervalForm;
    profile.interval = *interval;
  }
  return {};
}

std::string unknown_name(std::string_view name) {
  std::string line = "there is no profile \"" + std::string(name) + "\"; there are";
  for (const NamedProfile& each : built_in_profiles()) line += " " + std::string(each.name);
  return line;
}

std::string apply_task(Profile& profile, const TaskFile& task) {
  const boost::json::value& wanted = *task.monitoring_profile;
  const std::string where = (task.source.empty() ? "" : task.source + ": ") + "monitoringProfile: ";
  if (const auto* const name = wanted.if_string()) {
    const Profile* const found = find_profile(*name);
    if (found == nullptr) return where + unknown_name(*name);
    profile = *found;
    return {};
  }
  std::string why;
  const auto read = read_profile(wanted, profile, why);
  if (!read) return where + why;
  profile = *read;
  return {};
}

std::string apply_file(Profile& profile, const std::string& path) {
  std::error_code error;
  const auto text = read_input(path, kLargestFile, error);
  if (error == std::errc::no_such_file_or_directory)
    return "--profile: " + unknown_name(path) + ", and no such file";
  if (!text) return "--profile " + path + ": " + error.message();
  if (text->empty()) return "--profile " + path + ": it is empty";
  std::string why;
  const auto read = parse_profile(*text, profile, why);
  if (!read) return "--profile " + path + ": " + why;
  profile = *read;
  return {};
}

std::string apply_named(Profile& profile, const std::string& wanted) {
  const auto begin = wanted.find_first_not_of(" \t\r\n");
  if (begin != std::string::npos && wanted[begin] == '{') {
    std::string why;
    const auto read = parse_profile(wanted, profile, why);
    if (!read) return "--profile: " + why;
    profile = *read;
    return {};
  }
  const Profile* const found = find_profile(wanted);
  if (found == nullptr) return apply_file(profile, wanted);
  profile = *found;
  return {};
}

std::string apply_flags(Profile& profile, const ProfileFlags& flags) {
  if (!flags.profile.empty()) {
    std::string fault = apply_named(profile, flags.profile);
    if (!fault.empty()) return fault;
  }
  if (flags.enabled) profile.enabled = *flags.enabled;
  if (flags.interval_seconds) {
    const auto interval = interval_of_seconds(*flags.interval_seconds);
    if (!interval) return std::string("--interval") + kIntervalForm;
    profile.interval = *interval;
  }
  return {};
}

}  // namespace

Variables variables_of_process() {
  return [](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

std::optional<Profile> choose_profile(const ProfileFlags& flags, const TaskFile* task,
                                      const Variables& variables, std::string& why) {
  const bool service = flags.service || (task != nullptr && task->daemon);
  Profile profile = *find_profile(service ? "daemon" : "standard");
  why.clear();
  const std::string fault = apply_environment(profile, flags, variables);
  if (task != nullptr && task->monitoring_profile) why = apply_task(profile, *task);
  if (why.empty()) why = apply_flags(profile, flags);
  if (why.empty() && profile.enabled) why = fault;  // switched off, it does not matter
  return why.empty() ? std::optional(profile) : std::nullopt;
}

}  // namespace metricsd::tools
