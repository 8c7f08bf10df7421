#include "json/cursor.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/utf8.h>

#include <algorithm>

namespace metricsd {
namespace {

// What an object holds, depth first. Recursion is as deep as `levels` says.
class CompactValue {
 public:
  explicit CompactValue(Cursor cursor) : cursor_(cursor) {}

  [[nodiscard]] const char* at() const { return cursor_.at(); }

  bool take_object(std::size_t levels) {
    if (levels == 0 || !cursor_.take('{')) return false;
    if (cursor_.take('}')) return true;
    do {
      if (!take_string() || !cursor_.take(':') || !take_value(levels - 1)) return false;
    } while (cursor_.take(','));
    return cursor_.take('}');
  }

 private:
  bool take_array(std::size_t levels) {
    if (levels == 0 || !cursor_.take('[')) return false;
    if (cursor_.take(']')) return true;
    do {
      if (!take_value(levels - 1)) return false;
    } while (cursor_.take(','));
    return cursor_.take(']');
  }

  bool take_value(std::size_t levels) {
    switch (cursor_.character()) {
      case '{': return take_object(levels);
      case '[': return take_array(levels);
      case '"': return take_string();
      case 't': return cursor_.take("true");
      case 'f': return cursor_.take("false");
      case 'n': return cursor_.take("null");
      default: return take_number();
    }
  }
  bool take_string() {
    std::string_view text;
    return cursor_.string(text);
  }
  bool take_number() {
    static_cast<void>(cursor_.take('-'));
    return cursor_.number();
  }

  Cursor cursor_;
};

}  // namespace

const char* Cursor::end_of_text(Cursor cursor, const char* begin) {
  // Bounded, for the text may be of many lines.
  const std::size_t longest = std::min(cursor.left(), limits::kErrorMessage);
  const void* const quote = std::memchr(cursor.at_, '"', longest);
  if (quote == nullptr) return nullptr;
  cursor.at_ = static_cast<const char*>(quote);
  const std::string_view text = cursor.since(begin);
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\\'; };
  return std::all_of(text.begin(), text.end(), is_plain) && is_valid_utf8(text) ? cursor.at_ : nullptr;
}

const char* end_of_compact_object(Cursor cursor, std::size_t levels) {
  CompactValue value(cursor);
  return value.take_object(levels) ? value.at() : nullptr;
}

}  // namespace metricsd
