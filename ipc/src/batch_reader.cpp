#include "batch_reader.h"

#include "message_json.h"

#include <metricsd/models/digit_run.h>
#include <metricsd/models/json/fields.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace metricsd::ipc {
namespace {

namespace json = boost::json;

// ---- The usual form -------------------------------------------------------------------------------------

constexpr std::string_view kUsualRowsStart =
    R"(],"fields":["duration_ns","object_size_bytes","retry_count"],"rows":[)";

// Walks over a line; each step is true where the line goes on as asked.
class LineCursor {
 public:
  explicit LineCursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] const char* position() const { return at_; }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view literal) {
    if (static_cast<std::size_t>(end_ - at_) < literal.size()) return false;
    if (std::memcmp(at_, literal.data(), literal.size()) != 0) return false;
    at_ += literal.size();
    return true;
  }
  // A whole number of at most 16 digits, as JSON writes it.
  bool take(std::uint64_t& number) {
    const char* const start = at_;
    if (end_ - at_ >= static_cast<std::ptrdiff_t>(2 * kWord)) {
      const DigitRun high = take_run();
      if (high.size() == 0) return false;
      number = high.value();
      if (high.is_full()) {
        const DigitRun low = take_run();
        number = number * kPowersOfTen[low.size()] + (low.size() == 0 ? 0 : low.value());
      }
      return is_well_written(start);
    }
    number = 0;
    while (at_ != end_ && is_digit(*at_) && at_ - start < static_cast<std::ptrdiff_t>(2 * kWord)) {
      number = number * 10 + static_cast<std::uint64_t>(*at_++ - '0');
    }
    return at_ != start && is_well_written(start);
  }
  // A string that needs no unescaping: printable ASCII.
  bool take_plain_string(std::string_view& text) {
    if (!take('"')) return false;
    const char* const start = at_;
    while (at_ != end_ && *at_ >= ' ' && *at_ <= '~' && *at_ != '"' && *at_ != '\\') ++at_;
    text = {start, static_cast<std::size_t>(at_ - start)};
    return take('"');
  }

 private:
  // Eight bytes must be there.
  DigitRun take_run() {
    const DigitRun run(load_word(at_));
    at_ += run.size();
    return run;
  }
  [[nodiscard]] bool is_well_written(const char* start) const {
    if (at_ != end_ && is_digit(*at_)) return false;
    return *start != '0' || at_ - start == 1;
  }

  const char* at_;
  const char* end_;
};

bool take_shared_text(LineCursor& line, std::string_view key, std::size_t limit, std::string& out) {
  std::string_view text;
  if (!line.take(key))
    return true;  // not given: the next key must then be the next one, or the line is not usual
  if (!line.take_plain_string(text) || text.size() > limit) return false;
  out = text;
  return !text.empty();
}

bool take_shared_entry(LineCursor& line, SharedFields& out) {
  out.workload_type.clear();
  out.driver.clear();
  out.error_code.clear();
  if (!line.take(R"({"operation_type":)")) return false;
  std::string_view type;
  if (!line.take_plain_string(type) || !is_type_name(type)) return false;
  out.operation_type = type;
  if (!take_shared_text(line, R"(,"workload_type":)", limits::kTypeName, out.workload_type)) return false;
  if (!out.workload_type.empty() && !is_type_name(out.workload_type)) return false;
  if (!take_shared_text(line, R"(,"driver":)", limits::kDriver, out.driver)) return false;
  out.success = line.take(R"(,"success":true)");
  if (!out.success && !line.take(R"(,"success":false)")) return false;
  return take_shared_text(line, R"(,"error_code":)", limits::kErrorCode, out.error_code) && line.take('}');
}

bool take_dictionary(LineCursor& line, std::vector<SharedFields>& out) {
  std::size_t size = 0;
  do {
    if (size == limits::kBatchShared) return false;
    if (size == out.size()) out.emplace_back();
    if (!take_shared_entry(line, out[size++])) return false;
  } while (line.take(','));
  out.resize(size);
  return line.take(kUsualRowsStart);
}

bool take_row(LineCursor& line, std::size_t dictionary, BatchRow& row) {
  std::uint64_t shared = 0;
  std::uint64_t duration = 0;
  if (!line.take('[') || !line.take(shared) || !line.take(',') || !line.take(duration) || !line.take(',') ||
      !line.take(row.object_size_bytes) || !line.take(',') || !line.take(row.retry_count) ||
      !line.take(']')) {
    return false;
  }
  row.shared = static_cast<std::uint32_t>(shared);
  row.refusal = {};
  row.duration_ns = static_cast<std::int64_t>(duration);
  return shared < dictionary && duration <= static_cast<std::uint64_t>(limits::kDurationNs) &&
         row.object_size_bytes <= limits::kWhole && row.retry_count <= limits::kWhole;
}

// `rows` has as many as there must be.
bool take_rows(LineCursor& line, std::size_t dictionary, std::vector<BatchRow>& rows) {
  bool is_first = true;
  for (BatchRow& row : rows) {
    if (!std::exchange(is_first, false) && !line.take(',')) return false;
    if (line.take("null")) {
      row = {};
    } else if (!take_row(line, dictionary, row)) {
      return false;
    }
  }
  return line.take("]}") && line.at_end();
}

// ---- Any form -------------------------------------------------------------------------------------------

// The columns we know, in the order of a BatchRow's figures.
enum class Column : std::uint8_t { duration_ns, object_size_bytes, retry_count, unknown };
constexpr std::array<std::string_view, 3> kColumnNames{"duration_ns", "object_size_bytes", "retry_count"};
using Columns = std::vector<Column>;

Column column_named(std::string_view name) {
  const auto* const found = std::find(kColumnNames.begin(), kColumnNames.end(), name);
  return static_cast<Column>(found - kColumnNames.begin());
}

class DocumentReader {
 public:
  explicit DocumentReader(Batch& out) : out_(out) {}

  Result<> read_dictionary(const json::value& value, std::vector<SharedFields>& dictionary) {
    const auto* entries = value.if_array();
    if (entries == nullptr) return Errc::wrong_type;
    if (entries->size() > limits::kBatchShared) return Errc::limit_reached;
    for (const json::value& each : *entries) {
      auto entry = read_entry(each);
      if (!entry) return entry.error();
      dictionary.push_back(*std::move(entry));
    }
    return {};
  }

  Result<> read_columns(const json::value& value) {
    const auto names = read_list(value, any_text);
    if (!names) return names.error();
    if (names->size() > limits::kBatchFields) return Errc::limit_reached;
    for (const std::string& name : *names) {
      const Column column = column_named(name);
      const bool is_known = column != Column::unknown;
      if (is_known && std::find(columns_.begin(), columns_.end(), column) != columns_.end()) {
        return Errc::duplicate_field;
      }
      columns_.push_back(column);
    }
    const bool has_duration =
        std::find(columns_.begin(), columns_.end(), Column::duration_ns) != columns_.end();
    return has_duration ? Result<>() : Errc::missing_field;
  }

  // The error is that of a batch that lies about itself: it refuses all rows.
  Result<> read_rows(const json::value& value, std::size_t dictionary) {
    const auto* rows = value.if_array();
    if (rows == nullptr) return Errc::wrong_type;
    if (rows->size() != out_.count) return Errc::inconsistent_batch;
    for (const json::value& each : *rows) {
      BatchRow row;
      if (const Result<> read = each.is_null() ? Result<>() : read_row(each, dictionary, row); !read)
        return read;
      out_.rows.push_back(row);
    }
    return {};
  }

 private:
  Result<SharedFields> read_entry(const json::value& value) {
    return read_fields(value, [this](FieldReader& fields) {
      SharedFields entry;
      entry.operation_type = fields.required("operation_type", read_type_name);
      if (entry.operation_type.empty()) fields.refuse(Errc::invalid_characters, "operation_type");
      entry.workload_type = fields.optional("workload_type", read_type_name).value_or("");
      entry.driver = fields.optional("driver", text_up_to(limits::kDriver)).value_or("");
      entry.success = fields.required("success", read_flag);
      entry.error_code = fields.optional("error_code", text_up_to(limits::kErrorCode)).value_or("");
      count_unknown(fields.object());
      return entry;
    });
  }

  void count_unknown(const json::object& entry) {
    constexpr std::array<std::string_view, 5> kKnown{"operation_type", "workload_type", "driver", "success",
                                                     "error_code"};
    for (const auto& member : entry) {
      const std::string_view key = member.key();
      if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) ++out_.unknown_fields;
    }
  }

  static Result<bool> read_flag(const json::value& value) {
    const bool* flag = value.if_bool();
    if (flag == nullptr) return Errc::wrong_type;
    return *flag;
  }

  Result<> read_row(const json::value& value, std::size_t dictionary, BatchRow& row) {
    const auto* cells = value.if_array();
    if (cells == nullptr) return Errc::wrong_type;
    if (cells->size() != columns_.size() + 1) return Errc::inconsistent_batch;
    const auto shared = read_whole(cells->front(), limits::kBatchShared);
    if (!shared || *shared >= dictionary) return Errc::inconsistent_batch;
    row.shared = static_cast<std::uint32_t>(*shared);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (const Result<> read = read_cell((*cells)[i + 1], columns_[i], row); !read) {
        row = {.shared = BatchRow::kNoOperation, .refusal = static_cast<Errc>(read.error().value())};
        break;
      }
    }
    return {};
  }

  Result<> read_cell(const json::value& cell, Column column, BatchRow& row) {
    if (column == Column::unknown) {
      ++out_.unknown_fields;
      return {};
    }
    const bool is_duration = column == Column::duration_ns;
    if (cell.is_null()) return is_duration ? Result<>(Errc::missing_field) : Result<>();
    const auto number =
        read_whole(cell, is_duration ? static_cast<std::uint64_t>(limits::kDurationNs) : limits::kWhole);
    if (!number) return number.error();
    switch (column) {
      case Column::duration_ns: row.duration_ns = static_cast<std::int64_t>(*number); break;
      case Column::object_size_bytes: row.object_size_bytes = *number; break;
      case Column::retry_count: row.retry_count = *number; break;
      case Column::unknown: break;
    }
    return {};
  }

  Batch& out_;
  Columns columns_;
};

// The value under `name`, or a null that every reader refuses.
const json::value& member(const json::object& object, std::string_view name) {
  static const json::value none;
  const json::value* found = object.if_contains(name);
  return found == nullptr ? none : *found;
}

}  // namespace

bool BatchReader::read_usual(std::string_view line) {
  LineCursor at(line);
  std::uint64_t stream = 0;
  std::uint64_t count = 0;
  if (!at.take(kUsualStart) || !at.take(stream) || !at.take(R"(,"first_seq":)") ||
      !at.take(batch_.first_seq) || !at.take(R"(,"count":)") || !at.take(count) ||
      !at.take(R"(,"shared":[)")) {
    return false;
  }
  if (stream >= limits::kStreams || batch_.first_seq == 0 || count > limits::kBatchRows) return false;
  if (batch_.first_seq > limits::kWhole - count) return false;
  batch_.stream = static_cast<std::uint32_t>(stream);
  batch_.count = count;
  if (usual_head_.empty() || !at.take(std::string_view(usual_head_))) {
    const char* const head = at.position();
    if (!take_dictionary(at, scratch_)) return false;
    std::swap(batch_.shared, scratch_);
    ++batch_.shared_version;
    usual_head_.assign(head, at.position());
  }
  batch_.rows.resize(count);
  batch_.unknown_fields = 0;
  batch_.refusal.reset();
  return take_rows(at, batch_.shared.size(), batch_.rows);
}

std::optional<Refusal> BatchReader::read(const json::object& object) {
  FieldReader fields(object);
  batch_.stream = fields.required("stream", read_stream);
  batch_.first_seq = fields.required("first_seq", read_sequence_number);
  batch_.count = fields.required("count", whole_up_to(limits::kBatchRows));
  if (const auto& fault = fields.fault()) return Refusal{fault->reason, fault->field};
  if (batch_.first_seq > limits::kWhole - batch_.count) return Refusal{Errc::out_of_range, "first_seq"};

  batch_.rows.clear();
  batch_.unknown_fields = 0;
  batch_.refusal.reset();
  DocumentReader document(batch_);
  std::vector<SharedFields> shared;
  const auto refuse = [&](const Result<>& read, std::string_view field) {
    if (!read && !batch_.refusal)
      batch_.refusal = Refusal{static_cast<Errc>(read.error().value()), std::string(field)};
  };
  refuse(document.read_dictionary(member(object, "shared"), shared), "shared");
  refuse(document.read_columns(member(object, "fields")), "fields");
  if (!batch_.refusal) refuse(document.read_rows(member(object, "rows"), shared.size()), "rows");
  if (batch_.refusal) {
    batch_.rows.clear();
    batch_.unknown_fields = 0;
  } else {
    set_shared(std::move(shared));
  }
  return std::nullopt;
}

void BatchReader::set_shared(std::vector<SharedFields> shared) {
  if (shared == batch_.shared) return;
  batch_.shared = std::move(shared);
  ++batch_.shared_version;
  usual_head_.clear();
}

void BatchReader::recycle() {
  constexpr std::size_t kKeptRows = 1024;
  if (batch_.rows.capacity() > kKeptRows) batch_.rows = std::vector<BatchRow>();
}

}  // namespace metricsd::ipc
