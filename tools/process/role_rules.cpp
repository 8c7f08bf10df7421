#include "role_rules.h"

#include "text_scanner.h"

#include <metricsd/models/text.h>

#include <algorithm>

#include <fnmatch.h>

namespace metricsd::tools {

namespace {

constexpr std::size_t kRole = 64;  // becomes a label
constexpr std::size_t kPattern = 4096;

bool fits(const std::string& pattern, std::string_view text) {
  return ::fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string as_words(std::string_view command_line) {
  std::string words(command_line);
  while (!words.empty() && words.back() == '\0') words.pop_back();
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

}  // namespace

Result<> RoleRules::add(std::string_view rule) {
  const std::size_t equals = rule.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == rule.size())
    return Errc::missing_field;
  const std::string_view who = rule.substr(0, equals);
  const std::string_view role = rule.substr(equals + 1);
  if (role.size() > kRole || who.size() > kPattern) return Errc::too_long;
  if (!is_clean(role, kRole) || !is_clean(who, kPattern)) return Errc::invalid_characters;

  const auto pid = TextScanner::as_number<pid_t>(who);
  if (pid && *pid > 0) {
    rules_.push_back({*pid, "", std::string(role)});
  } else {
    rules_.push_back({0, std::string(who), std::string(role)});
    has_patterns_ = true;
  }
  return {};
}

std::string_view RoleRules::find(pid_t pid, std::string_view comm, std::string_view command_line) const {
  const std::string_view first = command_line.substr(0, command_line.find('\0'));
  const std::string words = has_patterns_ ? as_words(command_line) : std::string();
  for (const Rule& rule : rules_) {
    const bool found = rule.pid != 0 ? rule.pid == pid
                                     : fits(rule.pattern, comm) || fits(rule.pattern, base_name(first)) ||
                                           fits(rule.pattern, words);
    if (found) return rule.role;
  }
  return {};
}

}  // namespace metricsd::tools
