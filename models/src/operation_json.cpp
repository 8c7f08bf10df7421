#include <metricsd/models/decimal.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>

#include <array>
#include <bitset>
#include <charconv>
#include <cmath>
#include <optional>

#include <boost/json/basic_parser_impl.hpp>

namespace metricsd {
namespace {

namespace json = boost::json;

enum class Field : std::uint8_t {
  operation_id,
  timestamp_start,
  timestamp_end,
  operation_type,
  workload_type,
  object_key,
  object_size_bytes,
  duration_ms,
  throughput_mbps,
  success,
  error_code,
  error_message,
  retry_count,
  driver,
  user_id,
  metadata,
  intended_start,
  unknown,
};

constexpr std::size_t kFields = static_cast<std::size_t>(Field::unknown);

constexpr std::array<std::string_view, kFields> kFieldNames{
    "operation_id", "timestamp_start",   "timestamp_end", "operation_type",  "workload_type",
    "object_key",   "object_size_bytes", "duration_ms",   "throughput_mbps", "success",
    "error_code",   "error_message",     "retry_count",   "driver",          "user_id",
    "metadata",     "intended_start"};

constexpr std::string_view name_of(Field field) {
  return field == Field::unknown ? std::string_view() : kFieldNames[static_cast<std::size_t>(field)];
}

Field field_named(std::string_view name) {
  for (std::size_t i = 0; i < kFields; ++i) {
    if (kFieldNames[i] == name) return static_cast<Field>(i);
  }
  return Field::unknown;
}

// What a number was in the text, and how the parser understood it.
struct Number {
  double value = 0;
  std::string_view digits;
  std::optional<std::uint64_t>
      whole;  // where it is one, however it was written: 1048576, 1048576.0, 1.048576e6
};

std::optional<std::uint64_t> whole_of(double value) {
  const bool is_whole =
      value >= 0 && value <= static_cast<double>(limits::kWhole) && value == std::floor(value);
  return is_whole ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt;
}

// Takes the parser's events of one object into an OperationMetric.
//
// A fault of a field does not end the parsing: the first is kept until the object's end, because a `type` key
// behind it would make the whole line something else than an operation.
class Handler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  void reset(OperationMetric& out) {
    out_ = &out;
    out.clear();
    depth_ = 0;
    field_ = Field::unknown;
    seen_.reset();
    given_.reset();
    text_.clear();
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
    out_->duration_ns = out_->timestamp_end->ns - out_->timestamp_start->ns;
    if (out_->duration_ns < 0) return fail(Errc::end_before_start, Field::timestamp_end);
    if (out_->duration_ns > limits::kDurationNs) return fail(Errc::out_of_range, Field::timestamp_end);
  }

  [[nodiscard]] bool typed() const { return typed_; }
  [[nodiscard]] std::optional<Errc> fault() const { return fault_; }
  [[nodiscard]] std::string_view fault_field() const { return name_of(fault_field_); }
  [[nodiscard]] std::uint64_t unknown_fields() const { return unknown_fields_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    if (depth_ == 1 && field_ == Field::metadata) {
      metadata_.emplace(out_->metadata);
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

  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    text_ += part;
    return true;
  }
  bool on_key(json::string_view last_part, std::size_t, error_code& error) {
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

  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    text_ += part;
    return true;
  }
  bool on_string(json::string_view last_part, std::size_t, error_code& error) {
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

  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view digits, error_code& error) {
    return on_number({static_cast<double>(value), digits,
                      value < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(value))},
                     error);
  }
  bool on_uint64(std::uint64_t value, json::string_view digits, error_code& error) {
    return on_number({static_cast<double>(value), digits, value}, error);
  }
  bool on_double(double value, json::string_view digits, error_code& error) {
    return on_number({value, digits, whole_of(value)}, error);
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
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

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
    field_ = field_named(key);
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
    if (out_->metadata == "{}") out_->metadata.clear();
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

  void take_text(std::string_view text) {
    switch (field_) {
      case Field::operation_id: return take_bounded(text, out_->operation_id, 1, limits::kOperationId);
      case Field::operation_type: return take_type_name(text, out_->operation_type);
      case Field::workload_type:
        if (!text.empty()) take_type_name(text, out_->workload_type);
        return;
      case Field::object_key: return take_bounded(text, out_->object_key, 0, limits::kObjectKey);
      case Field::error_code: return take_bounded(text, out_->error_code, 0, limits::kErrorCode);
      case Field::error_message: return take_bounded(text, out_->error_message, 0, limits::kErrorMessage);
      case Field::driver: return take_bounded(text, out_->driver, 0, limits::kDriver);
      case Field::user_id: return take_bounded(text, out_->user_id, 0, limits::kUserId);
      case Field::timestamp_start: return take_timestamp(text, out_->timestamp_start);
      case Field::timestamp_end: return take_timestamp(text, out_->timestamp_end);
      case Field::intended_start: return take_timestamp(text, out_->intended_start);
      default: return mistyped();
    }
  }

  void take_bounded(std::string_view text, std::string& into, std::size_t min, std::size_t max) {
    if (text.size() < min) return fail(Errc::out_of_range, field_);
    if (text.size() > max) return fail(Errc::too_long, field_);
    if (text.find('\0') != std::string_view::npos) return fail(Errc::invalid_characters, field_);
    into = text;
    give();
  }
  void take_type_name(std::string_view text, std::string& into) {
    if (text.size() > limits::kTypeName) return fail(Errc::too_long, field_);
    if (!is_type_name(text)) return fail(Errc::invalid_characters, field_);
    into = text;
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
    if (!number.whole || *number.whole > limits::kWhole) return fail(Errc::out_of_range, field_);
    into = *number.whole;
    give();
  }

  OperationMetric* out_ = nullptr;
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

json::parse_options parser_options() {
  json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  return options;
}

}  // namespace

struct OperationReader::State {
  json::basic_parser<Handler> parser{parser_options()};
  Errc refusal = Errc::malformed_json;
  std::string_view refused_field;
};

OperationReader::OperationReader() : state_(std::make_unique<State>()) {}
OperationReader::~OperationReader() = default;
OperationReader::OperationReader(OperationReader&&) noexcept = default;
OperationReader& OperationReader::operator=(OperationReader&&) noexcept = default;

OperationReader::Outcome OperationReader::read(std::string_view text, OperationMetric& out) {
  auto& parser = state_->parser;
  Handler& handler = parser.handler();
  parser.reset();
  handler.reset(out);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (handler.typed()) return Outcome::typed;
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    error = Errc::malformed_json;
  if (!error) handler.check_whole();
  if (!error && !handler.fault()) return Outcome::operation;
  state_->refusal = error ? json_errc(error) : *handler.fault();
  state_->refused_field = error ? std::string_view() : handler.fault_field();
  return Outcome::refused;
}

Errc OperationReader::refusal() const noexcept {
  return state_->refusal;
}
std::string_view OperationReader::refused_field() const noexcept {
  return state_->refused_field;
}
std::uint64_t OperationReader::unknown_fields() const noexcept {
  return state_->parser.handler().unknown_fields();
}

namespace {

void write_text(JsonWriter& writer, Field field, std::string_view text) {
  if (!text.empty()) writer.field(name_of(field), text);
}

void write_time(JsonWriter& writer, Field field, const std::optional<Timestamp>& at) {
  if (at) writer.field(name_of(field), std::string_view(format_timestamp(*at)));
}

}  // namespace

void append_operation_json(std::string& out, const OperationMetric& operation) {
  JsonWriter writer(out);
  writer.begin_object();
  write_text(writer, Field::operation_id, operation.operation_id);
  write_time(writer, Field::timestamp_start, operation.timestamp_start);
  write_time(writer, Field::timestamp_end, operation.timestamp_end);
  write_text(writer, Field::operation_type, operation.operation_type);
  write_text(writer, Field::workload_type, operation.workload_type);
  write_text(writer, Field::object_key, operation.object_key);
  writer.field(name_of(Field::object_size_bytes), operation.object_size_bytes);
  std::string duration;
  append_ns_as_milliseconds(duration, operation.duration_ns);
  writer.key(name_of(Field::duration_ms)).raw(duration);
  if (operation.throughput_mbps) writer.field(name_of(Field::throughput_mbps), *operation.throughput_mbps);
  writer.field(name_of(Field::success), operation.success);
  write_text(writer, Field::error_code, operation.error_code);
  write_text(writer, Field::error_message, operation.error_message);
  if (operation.retry_count != 0) writer.field(name_of(Field::retry_count), operation.retry_count);
  write_text(writer, Field::driver, operation.driver);
  write_text(writer, Field::user_id, operation.user_id);
  if (!operation.metadata.empty()) writer.key(name_of(Field::metadata)).raw(operation.metadata);
  write_time(writer, Field::intended_start, operation.intended_start);
  writer.end_object();
}

}  // namespace metricsd
