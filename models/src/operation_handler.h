// The events of one JSON object, as Boost.JSON's basic_parser tells them, into an OperationView. The rules of
// the fields stand here.
#pragma once

#include "operation_fields.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/recycle.h>

#include <bitset>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/string_view.hpp>

namespace metricsd {

// What a number was in the text, and how the parser understood it.
struct Number {
  double value = 0;
  std::string_view digits;
};

// Takes the parser's events of one object into an OperationView.
//
// A fault of a field does not end the parsing: the first is kept until the object's end, because a `type` key
// behind it would make the whole line something else than an operation.
class OperationHandler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  // `out` will refer to `json`, which is what the parser is about to read, and to the handler's memory.
  void reset(std::string_view json, OperationView& out) {
    json_ = json;
    out_ = &out;
    out = OperationView{};
    recycle(copies_);
    recycle(metadata_text_);
    depth_ = 0;
    field_ = Field::unknown;
    seen_.reset();
    given_.reset();
    recycle(text_);
    metadata_.reset();
    typed_ = false;
    fault_.reset();
    fault_field_ = Field::unknown;
    unknown_fields_ = 0;
  }

  // After the parser is through: what the fields together must satisfy.
  void check_whole() {
    if (fault_) return;
    if (!given(Field::operation_type)) return fail(Errc::missing_field, Field::operation_type);
    if (!given(Field::success)) return fail(Errc::missing_field, Field::success);
    if (given(Field::duration_ms)) return;
    if (!out_->timestamp_start || !out_->timestamp_end) return fail(Errc::missing_field, Field::duration_ms);
    const auto duration_ns = duration_between(*out_->timestamp_start, *out_->timestamp_end);
    if (!duration_ns) return fail(json_errc(duration_ns.error()), Field::timestamp_end);
    out_->duration_ns = *duration_ns;
  }

  [[nodiscard]] bool typed() const { return typed_; }
  [[nodiscard]] std::optional<Errc> fault() const { return fault_; }
  [[nodiscard]] std::string_view fault_field() const { return name_of(fault_field_); }
  [[nodiscard]] std::uint64_t unknown_fields() const { return unknown_fields_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    if (depth_ == 1 && field_ == Field::metadata) {
      metadata_.emplace(metadata_text_);
    } else if (depth_ == 1) {
      mistyped();
    }
    if (metadata_) metadata_->begin_object();
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    --depth_;
    if (!metadata_) return true;
    metadata_->end_object();
    if (depth_ == 1) end_metadata();
    return true;
  }
  bool on_array_begin(error_code& error) {
    if (depth_ == 0) return not_an_object(error);
    if (depth_ == 1) mistyped();
    if (metadata_) metadata_->begin_array();
    ++depth_;
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    --depth_;
    if (metadata_) metadata_->end_array();
    return true;
  }

  bool on_key_part(boost::json::string_view part, std::size_t, error_code&) {
    text_ += part;
    return true;
  }
  bool on_key(boost::json::string_view last_part, std::size_t, error_code& error) {
    const std::string_view key = whole_text(last_part);
    if (depth_ == 1 && key == "type") {
      typed_ = true;
      error = Errc::unknown_type;  // only to stop the parser
      return false;
    }
    if (depth_ == 1) {
      begin_field(key);
    } else if (metadata_) {
      metadata_->key(key);
    }
    text_.clear();
    return true;
  }

  bool on_string_part(boost::json::string_view part, std::size_t, error_code&) {
    text_ += part;
    return true;
  }
  bool on_string(boost::json::string_view last_part, std::size_t, error_code& error) {
    if (depth_ == 0) return not_an_object(error);
    const std::string_view text = whole_text(last_part);
    if (depth_ == 1) {
      take_text(text);
    } else if (metadata_) {
      metadata_->value(text);
    }
    text_.clear();
    return true;
  }

  bool on_number_part(boost::json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, boost::json::string_view digits, error_code& error) {
    return on_number({static_cast<double>(value), digits}, error);
  }
  bool on_uint64(std::uint64_t value, boost::json::string_view digits, error_code& error) {
    return on_number({static_cast<double>(value), digits}, error);
  }
  bool on_double(double value, boost::json::string_view digits, error_code& error) {
    return on_number({value, digits}, error);
  }

  bool on_bool(bool value, error_code& error) {
    if (depth_ == 0) return not_an_object(error);
    if (depth_ == 1) {
      take_bool(value);
    } else if (metadata_) {
      metadata_->value(value);
    }
    return true;
  }
  bool on_null(error_code& error) {  // of a field: the same as its absence
    if (depth_ == 0) return not_an_object(error);
    if (depth_ > 1 && metadata_) metadata_->null();
    return true;
  }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }

 private:
  static bool not_an_object(error_code& error) {
    error = Errc::not_an_object;
    return false;
  }

  [[nodiscard]] bool given(Field field) const { return given_[static_cast<std::size_t>(field)]; }
  void give() { given_[static_cast<std::size_t>(field_)] = true; }

  void fail(Errc errc, Field field) {
    if (fault_) return;
    fault_ = errc;
    fault_field_ = field;
  }
  void mistyped() {
    if (field_ != Field::unknown) fail(Errc::wrong_type, field_);
  }

  // A key or string usually comes in one piece, and then is not copied.
  std::string_view whole_text(std::string_view last_part) {
    if (text_.empty()) return last_part;
    text_ += last_part;
    return text_;
  }

  void begin_field(std::string_view key) {
    field_ = field_named(key, field_);
    if (field_ == Field::unknown) {
      ++unknown_fields_;
      return;
    }
    const auto index = static_cast<std::size_t>(field_);
    if (seen_[index]) fail(Errc::duplicate_field, field_);
    seen_[index] = true;
  }

  void end_metadata() {
    metadata_.reset();
    if (metadata_text_ != "{}") out_->metadata = metadata_text_;
  }

  bool on_number(const Number& number, error_code& error) {
    if (depth_ == 0) return not_an_object(error);
    if (depth_ == 1) {
      take_number(number);
    } else if (metadata_) {
      if (!std::isfinite(number.value)) fail(Errc::out_of_range, Field::metadata);
      metadata_->raw(number.digits);
    }
    return true;
  }

  // Whether a text is as it stands in the line: without escapes.
  [[nodiscard]] bool is_in_line(std::string_view text) const {
    const std::less<> before;
    return !before(text.data(), json_.data()) && before(text.data(), json_.data() + json_.size());
  }
  // A text that stays where it is. Others are copied; all such together are never longer than the line, so
  // that the copies never move.
  std::string_view kept(std::string_view text) {
    if (is_in_line(text)) return text;
    copies_.reserve(json_.size());
    const std::size_t begin = copies_.size();
    copies_ += text;
    return std::string_view(copies_).substr(begin);
  }

  void take_text(std::string_view text) {
    switch (field_) {
      case Field::operation_id: return take_bounded(text, out_->operation_id);
      case Field::operation_type: return take_type_name(text, out_->operation_type);
      case Field::workload_type:
        if (!text.empty()) take_type_name(text, out_->workload_type);
        return;
      case Field::object_key: return take_bounded(text, out_->object_key);
      case Field::error_code: return take_bounded(text, out_->error_code);
      case Field::error_message: return take_bounded(text, out_->error_message);
      case Field::driver: return take_bounded(text, out_->driver);
      case Field::user_id: return take_bounded(text, out_->user_id);
      case Field::timestamp_start: return take_timestamp(text, out_->timestamp_start);
      case Field::timestamp_end: return take_timestamp(text, out_->timestamp_end);
      case Field::intended_start: return take_timestamp(text, out_->intended_start);
      default: return mistyped();
    }
  }

  void take_bounded(std::string_view text, std::string_view& into) {
    const TextLimits limits = text_limits(field_);
    if (text.size() < limits.min) return fail(Errc::out_of_range, field_);
    if (text.size() > limits.max) return fail(Errc::too_long, field_);
    const bool may_have_nul = !is_in_line(text);  // for it can only be written as an escape
    if (may_have_nul && text.find('\0') != std::string_view::npos)
      return fail(Errc::invalid_characters, field_);
    into = kept(text);
    give();
  }
  void take_type_name(std::string_view text, std::string_view& into) {
    if (text.size() > limits::kTypeName) return fail(Errc::too_long, field_);
    if (!is_type_name(text)) return fail(Errc::invalid_characters, field_);
    into = kept(text);
    give();
  }
  void take_timestamp(std::string_view text, std::optional<Timestamp>& into) {
    const Result<Timestamp> at = parse_timestamp(text);
    if (!at) return fail(Errc::invalid_timestamp, field_);
    into = *at;
    give();
  }

  void take_bool(bool value) {
    if (field_ != Field::success) return mistyped();
    out_->success = value;
    give();
  }

  void take_number(const Number& number) {
    switch (field_) {
      case Field::duration_ms: return take_duration(number);
      case Field::throughput_mbps: return take_throughput(number);
      case Field::object_size_bytes: return take_whole(number, out_->object_size_bytes);
      case Field::retry_count: return take_whole(number, out_->retry_count);
      default: return mistyped();
    }
  }

  void take_duration(const Number& number) {
    const Result<std::int64_t> ns = milliseconds_to_ns(number.digits);
    if (!ns) return fail(Errc::out_of_range, field_);
    out_->duration_ns = *ns;
    give();
  }
  void take_throughput(const Number& number) {
    if (!std::isfinite(number.value) || number.value < 0) return fail(Errc::out_of_range, field_);
    // The digits are read again: the parser's own conversion can be one unit in the last place off.
    double exact = 0;
    std::from_chars(number.digits.data(), number.digits.data() + number.digits.size(), exact);
    out_->throughput_mbps = exact;
    give();
  }
  void take_whole(const Number& number, std::uint64_t& into) {
    const Result<std::uint64_t> whole = whole_number(number.digits, limits::kWhole);
    if (!whole) return fail(Errc::out_of_range, field_);
    into = *whole;
    give();
  }

  std::string_view json_;
  OperationView* out_ = nullptr;
  std::string copies_;                  // texts that were escaped
  std::string metadata_text_;           // compact
  std::size_t depth_ = 0;               // open objects and arrays
  Field field_ = Field::unknown;        // whose value comes, or came last
  std::bitset<kFields> seen_;           // keys met
  std::bitset<kFields> given_;          // keys met with a value that was taken
  std::string text_;                    // the parts so far of a key or string that comes in parts
  std::optional<JsonWriter> metadata_;  // while within the metadata object
  bool typed_ = false;
  std::optional<Errc> fault_;
  Field fault_field_ = Field::unknown;
  std::uint64_t unknown_fields_ = 0;
};

}  // namespace metricsd
