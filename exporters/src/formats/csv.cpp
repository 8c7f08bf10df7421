// Comma-separated values by RFC 4180: CRLF behind each record, quotes around what needs them, quotes doubled
// within.
//
// A spreadsheet evaluates a cell that begins with = + - @, TAB or CR even where it is quoted, and such text
// comes from outside (keys, error messages). So text cells, and only they, get an apostrophe in front of such
// a beginning, which makes them text to the spreadsheet. FormatOptions::csv_raw leaves them as they are.
#include "formats/formats.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <cstring>
#include <optional>

namespace metricsd::exporters {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kHeader =
    "operation_id,timestamp_start,timestamp_end,operation_type,workload_type,object_key,object_size_bytes,"
    "duration_ms,throughput_mbps,success,error_code,retry_count,driver,user_id,error_message,intended_start,"
    "metadata\r\n";

bool looks_like_formula(char first) {
  constexpr std::string_view kStarts = "=+-@\t\r";
  return kStarts.find(first) != std::string_view::npos;
}

// Whether a byte of the text is below '-': all that need quotes or doubling are. Letters, digits and what
// joins them are not, so that most cells need no closer look.
bool may_need_quotes(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
  std::uint64_t below = 0;  // the high bit of each byte that is
  const auto look_at = [&below](std::uint64_t eight) {
    below |= (eight - kEach * '-') & ~eight & kEach * 0x80;
  };
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data(), sizeof(eight));
    look_at(eight);
    text.remove_prefix(sizeof(eight));
  }
  for (const char c : text) look_at(kEach * static_cast<unsigned char>(c));
  return below != 0;
}

bool needs_quotes(std::string_view text) {
  const bool padded = text.front() == ' ' || text.back() == ' ';  // some readers trim what is not quoted
  return padded || text.find_first_of(",\"\r\n") != std::string_view::npos;
}

void append_doubling_quotes(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
}

// Appends the cells of one record in turn, a comma behind each.
class RecordWriter {
 public:
  RecordWriter(std::string& out, bool raw) : out_(out), raw_(raw) {}

  RecordWriter& text(std::string_view value) {
    if (value.empty()) return separate();
    const bool defused = !raw_ && looks_like_formula(value.front());
    if (!may_need_quotes(value)) {
      if (defused) out_ += '\'';
      out_ += value;
      return separate();
    }
    const bool quoted = needs_quotes(value);
    if (quoted) out_ += '"';
    if (defused) out_ += '\'';
    append_doubling_quotes(out_, value);
    if (quoted) out_ += '"';
    return separate();
  }

  RecordWriter& integer(std::uint64_t value) {
    append_integer(out_, value);
    return separate();
  }

  RecordWriter& milliseconds(std::int64_t ns) {
    append_ns_as_milliseconds(out_, ns);
    return separate();
  }

  RecordWriter& number(std::optional<double> value) {
    if (value) append_double(out_, *value);
    return separate();
  }

  RecordWriter& timestamp(std::optional<Timestamp> value) {
    if (value) append_timestamp(out_, *value);
    return separate();
  }

  RecordWriter& boolean(bool value) {
    out_ += value ? "true" : "false";
    return separate();
  }

  void end() {
    out_.back() = '\r';  // in place of the last comma
    out_ += '\n';
  }

 private:
  RecordWriter& separate() {
    out_ += ',';
    return *this;
  }

  std::string& out_;
  bool raw_;
};

class CsvFormat final : public OperationFormat {
 public:
  explicit CsvFormat(const FormatOptions& options) : raw_(options.csv_raw), bom_(options.csv_bom) {}

  void begin(std::string& out) override {
    if (bom_) out += kByteOrderMark;
    out += kHeader;
  }

  // In the order of kHeader.
  void row(std::string& out, const OperationView& operation) override {
    RecordWriter(out, raw_)
        .text(operation.operation_id)
        .timestamp(operation.timestamp_start)
        .timestamp(operation.timestamp_end)
        .text(operation.operation_type)
        .text(operation.workload_type)
        .text(operation.object_key)
        .integer(operation.object_size_bytes)
        .milliseconds(operation.duration_ns)
        .number(operation.throughput_mbps)
        .boolean(operation.success)
        .text(operation.error_code)
        .integer(operation.retry_count)
        .text(operation.driver)
        .text(operation.user_id)
        .text(operation.error_message)
        .timestamp(operation.intended_start)
        .text(operation.metadata)
        .end();
  }

  void end(std::string&) override {}

 private:
  bool raw_;
  bool bom_;
};

}  // namespace

std::unique_ptr<OperationFormat> make_csv(const FormatOptions& options) {
  return std::make_unique<CsvFormat>(options);
}

}  // namespace metricsd::exporters
