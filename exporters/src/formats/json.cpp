#include "formats/formats.h"

#include <metricsd/models/json/writer.h>
#include <metricsd/models/operation_json.h>

#include <utility>

namespace metricsd::exporters {
namespace {

// Laid out by hand rather than by JsonWriter's pretty style: an operation a line can be read, searched and
// compared, and the file is half as long as with a field a line.
class JsonFormat final : public OperationFormat {
 public:
  explicit JsonFormat(std::string test_run_id) : test_run_id_(std::move(test_run_id)) {}

  void begin(std::string& out) override {
    out += "{\n  \"schema_version\": 1,\n  \"test_run_id\": ";
    append_json_string(out, test_run_id_);
    out += ",\n  \"operations\": [";
  }

  void row(std::string& out, const OperationView& operation) override {
    begin_row(out);
    append_operation_json(out, operation);
  }

  void copy_row(std::string& out, const OperationView&, const OperationLine& line) override {
    begin_row(out);
    out += line.line;
  }

  void end(std::string& out) override { out += empty_ ? "]\n}\n" : "\n  ]\n}\n"; }

 private:
  void begin_row(std::string& out) {
    out += empty_ ? "\n    " : ",\n    ";
    empty_ = false;
  }

  std::string test_run_id_;
  bool empty_ = true;
};

}  // namespace

std::unique_ptr<OperationFormat> make_json(const FormatOptions& options) {
  return std::make_unique<JsonFormat>(options.test_run_id);
}

}  // namespace metricsd::exporters
