#include <metricsd/ipc/operation_builder.h>
#include <metricsd/models/decimal.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/saturating.h>
#include <metricsd/models/text.h>

#include <algorithm>

namespace metricsd::ipc {
namespace {

// The last moment that a timestamp's text can say: the end of 2261.
constexpr std::int64_t kLastMomentNs = 9'214'646'400 * kNsPerSecond - 1;

// The number that ends `text`, one more. False where it would have another digit, and is as it was.
bool count_up(std::string& text) {
  std::size_t digit = text.size() - 1;
  while (text[digit] == '9') --digit;
  if (text[digit] == '-') return false;
  ++text[digit];
  std::fill(text.begin() + static_cast<std::ptrdiff_t>(digit) + 1, text.end(), '0');
  return true;
}

void append_count(std::vector<std::string>& lines, std::uint64_t count, std::string_view what) {
  if (count != 0) lines.push_back(std::to_string(count) + " " + std::string(what));
}

}  // namespace

OperationBuilder::OperationBuilder(Defaults defaults, const RecordNameSource& names,
                                   const CounterTimeline& timeline)
    : defaults_(std::move(defaults)),
      runs_is_type_(defaults_.workload_type.empty() || is_type_name(defaults_.workload_type)),
      names_(names),
      timeline_(timeline) {}

bool OperationBuilder::build(const Record& record, std::uint32_t stream, std::uint64_t ordinal,
                             OperationView& out) {
  out = {};
  if (!set_names(record, out)) return false;
  out.success = record.has(record_flags::kSuccess);
  set_figures(record, out);
  if (out.success) out.throughput_mbps = throughput_of(out.object_size_bytes, out.duration_ns);
  set_texts(record, out);
  if (const std::string_view json = record.text(RecordText::metadata); !json.empty()) set_metadata(json, out);
  if (out.operation_id.empty()) set_id(stream, ordinal, out);
  return true;
}

bool OperationBuilder::set_names(const Record& record, OperationView& out) {
  const auto or_default = [](std::string_view own, const std::string& of_run) {
    return own.empty() ? std::string_view(of_run) : own;
  };
  if (record.header.handle == kNoHandle) {
    out.operation_type = record.text(RecordText::operation_type);
    out.workload_type = or_default(record.text(RecordText::workload_type), defaults_.workload_type);
    out.driver = or_default(record.text(RecordText::driver), defaults_.driver);
    const bool is_runs = record.text(RecordText::workload_type).empty();
    return is_known_type(out.operation_type) && (is_runs ? runs_is_type_ : is_type_name(out.workload_type));
  }
  const RecordNames* entry = entry_of(record.header.handle);
  if (entry == nullptr || !entry->valid) return false;
  out.operation_type = entry->operation_type;
  out.workload_type = or_default(entry->workload_type, defaults_.workload_type);
  out.driver = or_default(entry->driver, defaults_.driver);
  return !entry->workload_type.empty() || runs_is_type_;
}

// Mostly the one of the record before.
bool OperationBuilder::is_known_type(std::string_view name) {
  if (name == known_type_ && !name.empty()) return true;
  if (!is_type_name(name)) return false;
  known_type_ = name;
  return true;
}

const RecordNames* OperationBuilder::entry_of(std::uint32_t handle) {
  if (handle >= entries_.size()) names_.refresh(entries_);
  return handle < entries_.size() ? entries_[handle] : nullptr;
}

void OperationBuilder::set_figures(const Record& record, OperationView& out) {
  out.retry_count = std::min(record.header.retry_count, limits::kWhole);
  out.object_size_bytes = std::min(record.header.object_size_bytes, limits::kWhole);
  bool kept = out.retry_count == record.header.retry_count &&
              out.object_size_bytes == record.header.object_size_bytes;
  kept &= set_times(record, out);
  if (!kept) ++adjusted_figures_;
}

bool OperationBuilder::set_times(const Record& record, OperationView& out) const {
  std::int64_t given_start = record.header.start;
  std::int64_t given_duration = record.header.duration;
  if (record.has(record_flags::kTicks)) {
    const std::int64_t begin = timeline_.monotonic_ns(given_start);
    const std::int64_t end = timeline_.monotonic_ns(saturating_sum(given_start, given_duration));
    given_duration = saturating_difference(end, begin);
    given_start = timeline_.wall_ns(begin);
  } else if (record.has(record_flags::kEndTicks)) {
    const std::int64_t end = timeline_.wall_ns(timeline_.monotonic_ns(given_start));
    given_start =
        saturating_difference(end, std::clamp<std::int64_t>(given_duration, 0, limits::kDurationNs));
  }
  out.duration_ns = std::clamp<std::int64_t>(given_duration, 0, limits::kDurationNs);
  const std::int64_t start = std::clamp<std::int64_t>(given_start, 0, kLastMomentNs - out.duration_ns);
  out.timestamp_start = Timestamp{start};
  out.timestamp_end = Timestamp{start + out.duration_ns};
  bool kept = out.duration_ns == given_duration && start == given_start;
  if (record.has(record_flags::kIntendedStart)) {
    out.intended_start = Timestamp{std::clamp<std::int64_t>(record.intended_start_ns, 0, kLastMomentNs)};
    kept &= out.intended_start->ns == record.intended_start_ns;
  }
  return kept;
}

void OperationBuilder::set_texts(const Record& record, OperationView& out) {
  bool clean = true;
  const auto set = [&](std::string_view& text, RecordText which, std::string_view given, std::size_t limit) {
    if (given.empty()) return;
    std::string& repaired = repaired_[static_cast<std::size_t>(which)];
    const bool kept = is_clean(given, limit);
    if (!kept) assign_clean(repaired, given, limit);
    text = kept ? given : std::string_view(repaired);
    clean &= kept;
  };
  set(out.object_key, RecordText::object_key, record.text(RecordText::object_key), limits::kObjectKey);
  set(out.error_code, RecordText::error_code, record.text(RecordText::error_code), limits::kErrorCode);
  set(out.error_message, RecordText::error_message, record.text(RecordText::error_message),
      limits::kErrorMessage);
  // A handle's and the run's were made clean when they were given.
  set(out.driver, RecordText::driver, record.text(RecordText::driver), limits::kDriver);
  set(out.user_id, RecordText::user_id, record.text(RecordText::user_id), limits::kUserId);
  set(out.operation_id, RecordText::operation_id, record.text(RecordText::operation_id),
      limits::kOperationId);
  if (!clean) ++adjusted_texts_;
}

void OperationBuilder::set_metadata(std::string_view json, OperationView& out) {
  auto object = json.size() <= limits::kRecordedMetadata ? compact_object(json) : std::nullopt;
  if (object) {
    std::string& text = repaired_[static_cast<std::size_t>(RecordText::metadata)];
    text = std::move(*object);
    out.metadata = text;
  } else {
    ++refused_metadata_;
  }
}

void OperationBuilder::set_id(std::uint32_t stream, std::uint64_t ordinal, OperationView& out) {
  const bool is_next = !id_.empty() && stream == id_stream_ && ordinal == id_ordinal_ + 1;
  if (!(is_next && count_up(id_))) {
    id_.assign(defaults_.id_prefix).append("-");
    append_integer(id_, stream);
    id_.append("-");
    append_integer(id_, ordinal);
    id_stream_ = stream;
  }
  id_ordinal_ = ordinal;
  out.operation_id = id_;
}

std::vector<std::string> OperationBuilder::warnings() const {
  std::vector<std::string> lines;
  append_count(lines, adjusted_texts_, "operations had text that was too long or not UTF-8: cut or repaired");
  append_count(lines, adjusted_figures_,
               "operations had a time, size or count out of range: set to the nearest in range");
  append_count(lines, refused_metadata_,
               "operations had metadata that is no JSON object of at most 16 KiB: left out");
  return lines;
}

}  // namespace metricsd::ipc
