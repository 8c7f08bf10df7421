#include <metricsd/models/json/document.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>

#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

namespace metricsd {
namespace {

namespace json = boost::json;

// Builds a value from the parser's events, and refuses what they show to be ambiguous.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  StrictHandler() { stack_.reset(); }

  json::value release() { return stack_.release(); }
  [[nodiscard]] const std::string& last_key() const { return last_key_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t size, error_code&) {
    keys_.pop_back();
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) {
    stack_.push_array(size);
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    key_ += part;
    return true;
  }
  bool on_key(json::string_view last_part, std::size_t, error_code& error) {
    key_ += last_part;
    last_key_.swap(key_);
    key_.clear();
    if (!keys_.back().insert(last_key_).second) {
      error = Errc::duplicate_field;
      return false;
    }
    stack_.push_key(last_key_);
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view last_part, std::size_t, error_code&) {
    stack_.push_string(last_part);
    return true;
  }

  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, error_code&) {
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, error_code&) {
    stack_.push_uint64(value);
    return true;
  }
  // The digits are read again: Boost.JSON's own conversion can be one unit in the last place off.
  bool on_double(double, json::string_view digits, error_code& error) {
    double value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (result.ec == std::errc::result_out_of_range && !is_tiny(digits)) {
      error = Errc::out_of_range;
      return false;
    }
    stack_.push_double(value);
    return true;
  }

  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  // from_chars says the same of what is too large and of what is too small; the latter is simply 0.
  static bool is_tiny(std::string_view digits) {
    return std::abs(std::strtod(std::string(digits).c_str(), nullptr)) < 1;
  }

  json::value_stack stack_;
  std::string key_;  // of which parts have come
  std::string last_key_;
  std::vector<std::set<std::string>> keys_;  // one set for each open object
};

// As deep as the value is, which parse_json() bounds.
void write_value(JsonWriter& writer, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: writer.null(); break;
    case json::kind::bool_: writer.value(value.get_bool()); break;
    case json::kind::int64: writer.value(value.get_int64()); break;
    case json::kind::uint64: writer.value(value.get_uint64()); break;
    // Not -0: that is read as a whole number, and would be another text the next time.
    case json::kind::double_: writer.value(value.get_double() + 0.0); break;
    case json::kind::string: writer.value(std::string_view(value.get_string())); break;
    case json::kind::array:
      writer.begin_array();
      for (const json::value& item : value.get_array()) write_value(writer, item);
      writer.end_array();
      break;
    case json::kind::object:
      writer.begin_object();
      for (const auto& member : value.get_object()) {
        writer.key(member.key());
        write_value(writer, member.value());
      }
      writer.end_object();
      break;
  }
}

}  // namespace

Errc json_errc(const error_code& error) noexcept {
  if (error.category() == errc_category()) return static_cast<Errc>(error.value());
  if (error == json::error::too_deep) return Errc::too_deep;
  return Errc::malformed_json;
}

Result<json::value> parse_json(std::string_view text) {
  std::string key;
  return parse_json(text, key);
}

Result<json::value> parse_json(std::string_view text, std::string& key) {
  json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  json::basic_parser<StrictHandler> parser(options);
  error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    error = Errc::malformed_json;
  if (error) {
    key = parser.handler().last_key();
    return json_errc(error);
  }
  return parser.handler().release();
}

void append_json(std::string& out, const json::value& value) {
  JsonWriter writer(out);
  write_value(writer, value);
}

}  // namespace metricsd
