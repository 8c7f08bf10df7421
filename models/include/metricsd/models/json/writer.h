// Writing JSON (RFC 8259), compact or pretty, straight into a string.
#pragma once

#include <metricsd/models/decimal.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd {

// Appends `text` in quotes, with what RFC 8259 section 7 requires escaped. `text` must be valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Calls must nest as JSON does; the writer sets commas and, in pretty style, line breaks. One thread.
class JsonWriter {
 public:
  enum class Style { compact, pretty };

  explicit JsonWriter(std::string& out, Style style = Style::compact) : out_(out), style_(style) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  // The shortest form that reads back the same; null for what JSON cannot say (NaN, infinities).
  JsonWriter& value(double number);
  JsonWriter& value(std::integral auto number) { return raw(std::to_string(number)); }
  JsonWriter& null() { return raw("null"); }
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void before_value();
  void new_line();

  std::string& out_;
  Style style_;
  std::vector<bool> has_items_;  // one for each open bracket
  bool after_key_ = false;
};

}  // namespace metricsd
