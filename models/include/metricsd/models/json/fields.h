// Reading the fields of a JSON object that came from outside: strict in types, ranges and lengths.
//
//   FieldReader fields(object);
//   const std::uint64_t count = fields.required("count", whole_up_to(limit));
//   const auto driver = fields.optional("driver", text_up_to(128));
//   if (fields.fault()) ...
//
// The first fault is kept and what is read after it is empty, so that a caller checks once, at the end.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/timestamp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace metricsd {

// One value of the type asked for. Errors: wrong_type; out_of_range; too_long; invalid_characters (a NUL).
[[nodiscard]] Result<double> read_number(const boost::json::value& value);
// 12.0 is a whole number, too.
[[nodiscard]] Result<std::uint64_t> read_whole(const boost::json::value& value, std::uint64_t max);
[[nodiscard]] Result<std::string> read_text(const boost::json::value& value, std::size_t max_size);

[[nodiscard]] inline auto whole_up_to(std::uint64_t max) {
  return [max](const boost::json::value& value) { return read_whole(value, max); };
}
[[nodiscard]] inline auto text_up_to(std::size_t max_size) {
  return [max_size](const boost::json::value& value) { return read_text(value, max_size); };
}
[[nodiscard]] Result<Timestamp> read_timestamp(const boost::json::value& value);
[[nodiscard]] Result<bool> any_bool(const boost::json::value& value);
[[nodiscard]] Result<std::string> any_text(const boost::json::value& value);
[[nodiscard]] Result<const boost::json::array*> any_array(const boost::json::value& value);
[[nodiscard]] Result<const boost::json::object*> any_object(const boost::json::value& value);

// Every item of an array as `read_item` reads it; the first fault is the array's.
template <class ReadItem>
[[nodiscard]] auto read_list(const boost::json::value& value, const ReadItem& read_item)
    -> Result<std::vector<typename std::invoke_result_t<ReadItem, const boost::json::value&>::value_type>> {
  const auto items = any_array(value);
  if (!items) return items.error();
  std::vector<typename std::invoke_result_t<ReadItem, const boost::json::value&>::value_type> list;
  list.reserve((*items)->size());
  for (const auto& each : **items) {
    auto item = read_item(each);
    if (!item) return item.error();
    list.push_back(*std::move(item));
  }
  return list;
}

// What was wrong with which field.
struct FieldFault {
  Errc reason{};
  std::string field;
};

// The object must outlive it. One thread.
class FieldReader {
 public:
  explicit FieldReader(const boost::json::object& object) : object_(object) {}

  // `read` is a function from a value to a Result<T>; these give a T, empty after a fault.
  template <class Read>
  auto required(std::string_view name, const Read& read) {
    using Value = typename std::invoke_result_t<Read, const boost::json::value&>::value_type;
    auto value = optional(name, read);
    if (!value) refuse(Errc::missing_field, name);  // after another fault, this one is not kept
    return value ? *std::move(value) : Value{};
  }

  // null means absent.
  template <class Read>
  auto optional(std::string_view name, const Read& read) {
    using Value = typename std::invoke_result_t<Read, const boost::json::value&>::value_type;
    const boost::json::value* found = object_.if_contains(name);
    if (found == nullptr || found->is_null()) return std::optional<Value>();
    auto value = read(*found);
    if (value) return std::optional<Value>(*std::move(value));
    refuse(value.error(), name);
    return std::optional<Value>();
  }

  void refuse(const error_code& reason, std::string_view name);

  [[nodiscard]] const boost::json::object& object() const { return object_; }
  // The first thing that was wrong.
  [[nodiscard]] const std::optional<FieldFault>& fault() const { return fault_; }

 private:
  const boost::json::object& object_;
  std::optional<FieldFault> fault_;
};

// What `read`, a function of a FieldReader, makes of an object; the first fault of a field is the object's.
template <class Read>
[[nodiscard]] auto read_fields(const boost::json::value& value, const Read& read)
    -> Result<std::invoke_result_t<Read, FieldReader&>> {
  const auto object = any_object(value);
  if (!object) return object.error();
  FieldReader fields(**object);
  auto made = read(fields);
  if (fields.fault()) return fields.fault()->reason;
  return made;
}

}  // namespace metricsd
