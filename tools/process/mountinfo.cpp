#include "mountinfo.h"

#include "text_scanner.h"

namespace metricsd::tools {

namespace {

// Blanks and backslashes of a path stand there as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string path;
  while (!text.empty()) {
    unsigned char byte = 0;
    const std::string_view digits = text.substr(1, 3);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 8);
    const bool is_escape =
        text.front() == '\\' && digits.size() == 3 && error == std::errc() && end == digits.data() + 3;
    path += is_escape ? static_cast<char>(byte) : text.front();
    text.remove_prefix(is_escape ? 4 : 1);
  }
  return path;
}

}  // namespace

std::optional<Mount> decode_mount(std::string_view line) {
  TextScanner scanner(line);
  scanner.skip_words(3);  // the mount's number, its parent's, the device's
  Mount mount;
  mount.root = unescaped(scanner.word());
  mount.point = unescaped(scanner.word());
  scanner.skip_words(1);
  std::string_view optional_field = scanner.word();
  while (!optional_field.empty() && optional_field != "-") optional_field = scanner.word();
  mount.type = scanner.word();
  scanner.skip_words(1);
  mount.options = scanner.word();
  return mount.options.empty() ? std::nullopt : std::optional(mount);
}

bool has_word(std::string_view words, std::string_view name) {
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    if (words.substr(0, comma) == name) return true;
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
  return false;
}

}  // namespace metricsd::tools
