#include <metricsd/models/json/document.h>
#include <metricsd/models/text.h>
#include <metricsd/models/utf8.h>

#include <cstdint>
#include <cstring>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace metricsd {
namespace {

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

// ASCII without NUL, told by the word: what most texts are.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t found = 0;  // a high bit for a byte that is not plain, and perhaps for one before it
  std::size_t i = 0;
  for (std::uint64_t word = 0; text.size() - i >= sizeof word; i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    found |= word | (word - kOnes);
  }
  if (i != 0 && i < text.size()) {  // the rest with a few of those before it
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + text.size() - sizeof word, sizeof word);
    return ((found | word | (word - kOnes)) & kHighBits) == 0;
  }
  for (; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    found |= byte == 0 ? kHighBits : byte;
  }
  return (found & kHighBits) == 0;
}

}  // namespace

bool is_clean(std::string_view text, std::size_t limit) {
  if (text.size() > limit) return false;
  return is_plain(text) || (text.find('\0') == std::string_view::npos && is_valid_utf8(text));
}

bool assign_clean(std::string& out, std::string_view text, std::size_t limit) {
  if (is_clean(text, limit)) {
    out.assign(text);
    return true;
  }
  out.clear();
  append_valid_utf8(out, text);
  std::erase(out, '\0');
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

}  // namespace metricsd
