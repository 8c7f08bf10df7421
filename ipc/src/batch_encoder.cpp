#include <metricsd/ipc/batch.h>
#include <metricsd/models/decimal.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>

#include <charconv>

namespace metricsd::ipc {
namespace {

constexpr std::size_t kLargestDictionary = 8 * 1024;         // bytes: small beside the rows it comes with
constexpr std::size_t kRowBytes = 512 * 1024;                // with the rest well within limits::kBatchLine
constexpr std::size_t kLargestNumber = 20;                   // digits of 64 bits
constexpr std::size_t kLargestRow = 4 * kLargestNumber + 6;  // four numbers and their punctuation

// 0xFF separates the texts: it never occurs in UTF-8.
void append_key(std::string& out, const SharedFieldsView& fields) {
  for (const std::string_view text :
       {fields.operation_type, fields.workload_type, fields.driver, fields.error_code}) {
    out.append(text).push_back('\xFF');
  }
  out.push_back(fields.success ? '1' : '0');
}

void append_entry(std::string& out, const SharedFieldsView& fields) {
  JsonWriter writer(out);
  writer.begin_object().field("operation_type", fields.operation_type);
  if (!fields.workload_type.empty()) writer.field("workload_type", fields.workload_type);
  if (!fields.driver.empty()) writer.field("driver", fields.driver);
  writer.field("success", fields.success);
  if (!fields.error_code.empty()) writer.field("error_code", fields.error_code);
  writer.end_object();
}

// Cheap, and different for most of what one workload does.
std::size_t place_of(const SharedFieldsView& fields) {
  const auto first = [](std::string_view text) -> std::size_t {
    return text.empty() ? 0 : static_cast<unsigned char>(text.front());
  };
  return first(fields.operation_type) + 3 * fields.operation_type.size() + 5 * first(fields.error_code) +
         7 * fields.error_code.size() + (fields.success ? 1 : 0);
}

char* write_number(char* out, std::uint64_t number) {
  return std::to_chars(out, out + kLargestNumber, number).ptr;
}

}  // namespace

void BatchEncoder::begin(std::uint32_t stream, std::uint64_t first_seq) {
  stream_ = stream;
  first_seq_ = first_seq;
  count_ = 0;
  rows_.clear();
  if (dictionary_.size() >= kLargestDictionary || indices_.size() >= limits::kBatchShared / 2) forget();
}

void BatchEncoder::forget() noexcept {
  count_ = 0;
  rows_.clear();
  dictionary_.clear();
  indices_.clear();
  ++dictionary_version_;
}

std::uint32_t BatchEncoder::shared(const SharedFieldsView& fields) {
  Recent& recent = recent_[place_of(fields) % recent_.size()];
  if (recent.version == dictionary_version_ && recent.fields == fields) return recent.index;
  recent = {.fields = {.operation_type = std::string(fields.operation_type),
                       .workload_type = std::string(fields.workload_type),
                       .driver = std::string(fields.driver),
                       .success = fields.success,
                       .error_code = std::string(fields.error_code)},
            .index = find_or_add(fields),
            .version = dictionary_version_};
  return recent.index;
}

std::uint32_t BatchEncoder::find_or_add(const SharedFieldsView& fields) {
  key_.clear();
  append_key(key_, fields);
  const auto [entry, is_new] = indices_.try_emplace(key_, static_cast<std::uint32_t>(indices_.size()));
  if (is_new) {
    if (!dictionary_.empty()) dictionary_.push_back(',');
    append_entry(dictionary_, fields);
  }
  return entry->second;
}

void BatchEncoder::add(std::uint32_t shared, std::int64_t duration_ns, std::uint64_t object_size_bytes,
                       std::uint64_t retry_count) {
  char row[kLargestRow];
  char* out = row;
  if (count_ > 0) *out++ = ',';
  *out++ = '[';
  out = write_number(out, shared);
  *out++ = ',';
  out = write_number(out, static_cast<std::uint64_t>(duration_ns));
  *out++ = ',';
  out = write_number(out, object_size_bytes);
  *out++ = ',';
  out = write_number(out, retry_count);
  *out++ = ']';
  rows_.append(row, out);
  ++count_;
}

void BatchEncoder::add_nothing() {
  rows_.append(count_ > 0 ? ",null" : "null");
  ++count_;
}

bool BatchEncoder::is_full() const {
  return count_ >= limits::kBatchRows || rows_.size() + dictionary_.size() >= kRowBytes ||
         indices_.size() >= limits::kBatchShared;
}

void BatchEncoder::finish(std::string& out) {
  out.append(R"({"type":"batch","stream":)");
  append_integer(out, stream_);
  out.append(R"(,"first_seq":)");
  append_integer(out, first_seq_);
  out.append(R"(,"count":)");
  append_integer(out, count_);
  out.append(R"(,"shared":[)").append(dictionary_);
  out.append(R"(],"fields":["duration_ns","object_size_bytes","retry_count"],"rows":[)").append(rows_);
  out.append("]}\n");
}

}  // namespace metricsd::ipc
