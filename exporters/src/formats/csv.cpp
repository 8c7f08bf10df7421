// Rows of operations as comma-separated values: csv_record.h.
#include "formats/formats.h"

#include <metricsd/exporters/csv_record.h>
#include <metricsd/models/decimal.h>
#include <metricsd/models/timestamp.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace metricsd::exporters {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kHeader =
    "operation_id,timestamp_start,timestamp_end,operation_type,workload_type,object_key,object_size_bytes,"
    "duration_ms,throughput_mbps,success,error_code,retry_count,driver,user_id,error_message,intended_start,"
    "metadata\r\n";

// The numbers and times of an operation as text.
class Numbers {
 public:
  // Views into this, until the next call.
  const OperationLine& of(const OperationView& operation) {
    text_.clear();
    text_.reserve(kRoom);
    line_.timestamp_start = time(operation.timestamp_start);
    line_.timestamp_end = time(operation.timestamp_end);
    line_.intended_start = time(operation.intended_start);
    line_.object_size_bytes = added([&] { append_integer(text_, operation.object_size_bytes); });
    line_.duration_ms = added([&] { append_ns_as_milliseconds(text_, operation.duration_ns); });
    line_.throughput_mbps = added([&] {
      if (operation.throughput_mbps) append_double(text_, *operation.throughput_mbps);
    });
    return line_;
  }

 private:
  static constexpr std::size_t kRoom = 256;  // more than all of them take, so that views stay valid

  std::string_view time(const std::optional<Timestamp>& at) {
    return added([&] {
      if (at) append_timestamp(text_, *at);
    });
  }
  template <class F>
  std::string_view added(F&& append) {
    const std::size_t begin = text_.size();
    append();
    return std::string_view(text_).substr(begin);
  }

  std::string text_;
  OperationLine line_;
};

class CsvFormat final : public OperationFormat {
 public:
  explicit CsvFormat(const FormatOptions& options) : raw_(options.csv_raw), bom_(options.csv_bom) {}

  void begin(std::string& out) override {
    if (bom_) out += kByteOrderMark;
    out += kHeader;
  }

  void row(std::string& out, const OperationView& operation) override {
    copy_row(out, operation, numbers_.of(operation));
  }

  // In the order of kHeader.
  void copy_row(std::string& out, const OperationView& operation, const OperationLine& line) override {
    const std::size_t size = out.size();
    out.resize(size + room_for(operation, line));
    std::array<char, 20> retries;
    const char* const retries_end = std::to_chars(retries.begin(), retries.end(), operation.retry_count).ptr;
    char* const end = CsvRecordWriter(out.data() + size, raw_)
                          .text(operation.operation_id)
                          .plain(line.timestamp_start)
                          .plain(line.timestamp_end)
                          .text(operation.operation_type)
                          .text(operation.workload_type)
                          .text(operation.object_key)
                          .plain(line.object_size_bytes)
                          .plain(line.duration_ms)
                          .plain(line.throughput_mbps)
                          .plain(operation.success ? "true" : "false")
                          .text(operation.error_code)
                          .plain({retries.begin(), retries_end})
                          .text(operation.driver)
                          .text(operation.user_id)
                          .text(operation.error_message)
                          .plain(line.intended_start)
                          .text(operation.metadata)
                          .end();
    out.resize(static_cast<std::size_t>(end - out.data()));
  }

  void end(std::string&) override {}

 private:
  static std::size_t room_for(const OperationView& operation, const OperationLine& line) {
    std::size_t room = 64;  // outcome, retries, their commas and the line's end
    for (const std::string_view text :
         {operation.operation_id, operation.operation_type, operation.workload_type, operation.object_key,
          operation.error_code, operation.driver, operation.user_id, operation.error_message,
          operation.metadata}) {
      room += CsvRecordWriter::room_for(text);
    }
    for (const std::string_view text : {line.timestamp_start, line.timestamp_end, line.intended_start,
                                        line.object_size_bytes, line.duration_ms, line.throughput_mbps}) {
      room += text.size() + 1;
    }
    return room;
  }

  bool raw_;
  bool bom_;
  Numbers numbers_;
};

}  // namespace

std::unique_ptr<OperationFormat> make_csv(const FormatOptions& options) {
  return std::make_unique<CsvFormat>(options);
}

}  // namespace metricsd::exporters
