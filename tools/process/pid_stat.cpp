#include "pid_stat.h"

#include "text_scanner.h"

#include <metricsd/models/limits.h>

namespace metricsd::tools {

namespace {

// Numbers one after the other; once one of them is none, all are nothing.
class Fields {
 public:
  explicit Fields(std::string_view text) : scanner_(text) {}

  std::uint64_t next() {
    const auto number = scanner_.number();
    ok_ &= number && *number <= limits::kWhole;
    return number.value_or(0);
  }
  // Where the kernel has a sign: what is below zero is none of it.
  std::uint64_t next_signed() {
    const auto number = scanner_.number<std::int64_t>();
    ok_ &= number && *number <= static_cast<std::int64_t>(limits::kWhole);
    return number.value_or(0) < 0 ? 0 : static_cast<std::uint64_t>(number.value_or(0));
  }
  std::uint64_t next_address() {
    const auto number = scanner_.number();
    ok_ &= number.has_value();
    return number.value_or(0);
  }
  std::string_view word() { return scanner_.word(); }
  void skip(unsigned count) { scanner_.skip_words(count); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  TextScanner scanner_;
  bool ok_ = true;
};

}  // namespace

std::optional<PidStat> decode_pid_stat(std::string_view text) {
  const std::size_t name_begin = text.find('(');
  const std::size_t name_end = text.rfind(')');
  if (name_begin == std::string_view::npos || name_end == std::string_view::npos || name_end < name_begin) {
    return std::nullopt;
  }
  PidStat stat;
  stat.comm = text.substr(name_begin + 1, name_end - name_begin - 1);

  Fields fields(text.substr(name_end + 1));
  const std::string_view state = fields.word();
  if (state.size() != 1) return std::nullopt;
  stat.state = state.front();
  stat.parent = static_cast<pid_t>(fields.next_signed());
  fields.skip(9);  // pgrp to cmajflt
  stat.user_ticks = fields.next();
  stat.system_ticks = fields.next();
  stat.children_user_ticks = fields.next_signed();
  stat.children_system_ticks = fields.next_signed();
  fields.skip(2);  // priority, nice
  stat.threads = fields.next_signed();
  fields.skip(1);  // itrealvalue
  stat.start_ticks = fields.next();
  stat.virtual_bytes = fields.next();
  stat.resident_pages = fields.next_signed();
  fields.skip(3);  // rsslim, startcode, endcode
  stat.stack_start = fields.next_address();
  return fields.ok() ? std::optional(stat) : std::nullopt;
}

}  // namespace metricsd::tools
