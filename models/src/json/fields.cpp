#include <metricsd/models/json/document.h>
#include <metricsd/models/json/fields.h>

#include <cmath>
#include <limits>

namespace metricsd {

namespace json = boost::json;

Result<double> read_number(const json::value& value) {
  if (const auto* number = value.if_double()) return *number;
  if (const auto* number = value.if_int64()) return static_cast<double>(*number);
  if (const auto* number = value.if_uint64()) return static_cast<double>(*number);
  return Errc::wrong_type;
}

// Integers are compared as such: as doubles, 2^53 + 1 would be 2^53.
Result<std::uint64_t> read_whole(const json::value& value, std::uint64_t max) {
  if (value.is_int64() || value.is_uint64()) {
    const bool negative = value.is_int64() && value.get_int64() < 0;
    const std::uint64_t whole =
        value.is_int64() ? static_cast<std::uint64_t>(value.get_int64()) : value.get_uint64();
    return negative || whole > max ? Result<std::uint64_t>(Errc::out_of_range) : whole;
  }
  const auto number = read_number(value);
  if (!number) return number.error();
  if (!(*number >= 0 && *number <= static_cast<double>(max))) return Errc::out_of_range;
  if (*number != std::floor(*number)) return Errc::out_of_range;
  return static_cast<std::uint64_t>(*number);
}

Result<std::string> read_text(const json::value& value, std::size_t max_size) {
  const auto* text = value.if_string();
  if (text == nullptr) return Errc::wrong_type;
  if (text->size() > max_size) return Errc::too_long;
  if (text->find('\0') != json::string::npos) return Errc::invalid_characters;
  return std::string(text->data(), text->size());
}

Result<Timestamp> read_timestamp(const json::value& value) {
  const auto text = any_text(value);
  return text ? parse_timestamp(*text) : Result<Timestamp>(text.error());
}

Result<bool> any_bool(const json::value& value) {
  if (const auto* flag = value.if_bool()) return *flag;
  return Errc::wrong_type;
}

Result<std::string> any_text(const json::value& value) {
  return read_text(value, std::numeric_limits<std::size_t>::max());
}

Result<const json::array*> any_array(const json::value& value) {
  if (const auto* array = value.if_array()) return array;
  return Errc::wrong_type;
}

Result<const json::object*> any_object(const json::value& value) {
  if (const auto* object = value.if_object()) return object;
  return Errc::wrong_type;
}

void FieldReader::refuse(const error_code& reason, std::string_view name) {
  if (!fault_) fault_ = FieldFault{json_errc(reason), std::string(name)};
}

}  // namespace metricsd
