#include "formats/formats.h"

#include <metricsd/models/operation_json.h>

namespace metricsd::exporters {
namespace {

class JsonlFormat final : public OperationFormat {
 public:
  void begin(std::string&) override {}
  void row(std::string& out, const OperationView& operation) override {
    append_operation_json(out, operation);
    out += '\n';
  }
  void copy_row(std::string& out, const OperationView&, const OperationLine& line) override {
    out += line.line;
    out += '\n';
  }
  void end(std::string&) override {}
};

}  // namespace

std::unique_ptr<OperationFormat> make_jsonl(const FormatOptions&) {
  return std::make_unique<JsonlFormat>();
}

}  // namespace metricsd::exporters
