#include "text.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/utf8.h>

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace metricsd::client {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// How many bytes a character that begins with `lead` has; 1 for a byte that begins none.
std::size_t character_size(unsigned char lead) {
  if (lead >= 0xF0) return 4;
  if (lead >= 0xE0) return 3;
  if (lead >= 0xC0) return 2;
  return 1;
}

void append_repaired(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::string_view character = text.substr(0, character_size(static_cast<unsigned char>(text[0])));
    const bool valid = is_valid_utf8(character);
    if (!valid) character = text.substr(0, 1);
    if (character[0] != '\0') out += valid ? character : kReplacement;
    text.remove_prefix(character.size());
  }
}

std::string without_white_space(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!in_string && is_space) continue;
    out.push_back(c);
    if (in_string && c == '\\') {
      out.push_back(json[++i]);  // the text was parsed: something follows
    } else if (c == '"') {
      in_string = !in_string;
    }
  }
  return out;
}

}  // namespace

bool assign_clean(std::string& out, std::string_view text, std::size_t limit) {
  const bool clean = text.find('\0') == std::string_view::npos && is_valid_utf8(text);
  if (clean && text.size() <= limit) {
    out.assign(text);
    return true;
  }
  out.clear();
  append_repaired(out, text);
  out.resize(utf8_prefix(out, limit).size());
  return false;
}

std::optional<std::string> compact_object(std::string_view json) {
  // In brackets: it will stand within another object, one level deeper.
  std::string document;
  document.reserve(json.size() + 2);
  document.append("[").append(json).append("]");
  const Result<boost::json::value> parsed = parse_json(document);
  if (!parsed) return std::nullopt;
  const boost::json::array& items = parsed->as_array();
  if (items.size() != 1 || !items[0].is_object()) return std::nullopt;
  if (items[0].as_object().empty()) return std::string();
  return without_white_space(json);
}

}  // namespace metricsd::client
