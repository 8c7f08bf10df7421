#include "operation_fields.h"

#include <metricsd/models/digit_run.h>
#include <metricsd/models/operation_line.h>

#include <cstring>

namespace metricsd {
namespace {

// Walks along a line of valid JSON, member by member in the contract's order. Each step says whether what it
// was told comes next: nothing, where the value is absent.
class Walk {
 public:
  explicit Walk(std::string_view line) : rest_(line) {}

  // A text that needed no unescaping lies in the line itself: it need not be compared.
  template <Field kField>
  bool text(std::string_view value) {
    if (value.empty()) return true;
    return key<kField>() && skip('"') && lies_here(value) && skip('"');
  }
  template <Field kField>
  bool object(std::string_view value) {
    return value.empty() || (key<kField>() && lies_here(value));
  }

  // `"2026-01-31T23:59:59.123456Z"`; a leap second is written as the moment before it.
  template <Field kField>
  bool time(bool is_there, std::string_view& text) {
    if (!is_there) return true;
    constexpr std::size_t kSize = 27;
    if (!key<kField>() || rest_.size() < kSize + 2) return false;
    if (rest_[0] != '"' || rest_[kSize + 1] != '"') return false;
    text = rest_.substr(1, kSize);
    rest_.remove_prefix(kSize + 2);
    return text[10] == 'T' && text[17] != '6' && text[19] == '.' && text.back() == 'Z';
  }

  // Only digits: how a whole number is written that is not negative.
  template <Field kField>
  bool whole(std::string_view& text) {
    if (!key<kField>()) return false;
    text = take_while(is_digit);
    return !text.empty();
  }

  // At most six digits behind the point, of which the last is not 0.
  template <Field kField>
  bool milliseconds(std::string_view& text) {
    if (!whole<kField>(text) || rest_.empty() || rest_.front() != '.') return !text.empty();
    const char* const begin = text.data();
    rest_.remove_prefix(1);
    const std::string_view fraction = take_while(is_digit);
    text = {begin, text.size() + 1 + fraction.size()};
    return !fraction.empty() && fraction.size() <= 6 && fraction.back() != '0';
  }

  // Its digits are taken on trust, save for a zero at the end of a fraction.
  template <Field kField>
  bool number(bool is_there, std::string_view& text) {
    if (!is_there) return true;
    if (!key<kField>()) return false;
    text = take_while([](char c) { return is_digit(c) || c == '.' || c == 'e' || c == '-' || c == '+'; });
    if (text.empty()) return false;
    return text.back() != '0' || text.find('.') == std::string_view::npos ||
           text.find('e') != std::string_view::npos;
  }

  template <Field kField>
  bool boolean(bool value) {
    return key<kField>() && skip(value ? "true" : "false");
  }

  bool end() { return rest_ == "}"; }

 private:
  template <Field kField>
  bool key() {
    constexpr const auto& kText = kKey<kField>;
    if (rest_.size() <= kText.size() || rest_.front() != before_member_) return false;
    if (std::memcmp(rest_.data() + 1, kText.data(), kText.size()) != 0) return false;
    rest_.remove_prefix(kText.size() + 1);
    before_member_ = ',';
    return true;
  }

  bool skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool lies_here(std::string_view value) {
    if (value.data() != rest_.data() || value.size() > rest_.size()) return false;
    rest_.remove_prefix(value.size());
    return true;
  }

  template <class F>
  std::string_view take_while(F&& wanted) {
    std::size_t size = 0;
    while (size < rest_.size() && wanted(rest_[size])) ++size;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  char before_member_ = '{';
};

}  // namespace

bool take_apart(std::string_view line, const OperationView& operation, OperationLine& out) {
  using enum Field;
  out = {};
  out.line = line;
  std::string_view retries;
  Walk walk(line);
  return walk.text<operation_id>(operation.operation_id) &&
         walk.time<timestamp_start>(operation.timestamp_start.has_value(), out.timestamp_start) &&
         walk.time<timestamp_end>(operation.timestamp_end.has_value(), out.timestamp_end) &&
         walk.text<operation_type>(operation.operation_type) &&
         walk.text<workload_type>(operation.workload_type) && walk.text<object_key>(operation.object_key) &&
         walk.whole<object_size_bytes>(out.object_size_bytes) &&
         walk.milliseconds<duration_ms>(out.duration_ms) &&
         walk.number<throughput_mbps>(operation.throughput_mbps.has_value(), out.throughput_mbps) &&
         walk.boolean<success>(operation.success) && walk.text<Field::error_code>(operation.error_code) &&
         walk.text<error_message>(operation.error_message) &&
         (operation.retry_count == 0 || walk.whole<retry_count>(retries)) &&
         walk.text<driver>(operation.driver) && walk.text<user_id>(operation.user_id) &&
         walk.object<metadata>(operation.metadata) &&
         walk.time<intended_start>(operation.intended_start.has_value(), out.intended_start) && walk.end();
}

}  // namespace metricsd
