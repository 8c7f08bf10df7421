#include "batch_reader.h"
#include "message_json.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/models/json/document.h>

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace metricsd::ipc {
namespace {

constexpr std::string_view kHelloStart = R"({"type":"hello",)";

}  // namespace

Decoder::Decoder(std::size_t max_line)
    : lines_(max_line, {limits::kHelloLine, kHelloStart}),
      reader_(OperationReader::Throughput::left_out),
      batches_(std::make_unique<BatchReader>()) {}
Decoder::~Decoder() = default;

const Batch& Decoder::batch() const {
  return batches_->batch();
}

Decoder::Step Decoder::next() {
  // Most lines are usual, and their ends are found by reading them.
  const std::string_view lines = lines_.whole_lines();
  const std::size_t size = reader_.read_usual_line(lines, operation_);
  if (size != 0 && lines_.take_line(size)) return Step::operation;
  switch (lines_.next()) {
    case LineSplitter::Step::line: return decode(lines_.line(), lines.empty());
    case LineSplitter::Step::too_long: return refuse(Errc::line_too_long, "");
    case LineSplitter::Step::need_more: break;
  }
  message_ = Message{};  // a connection that idles keeps no samples
  batches_->recycle();
  return Step::need_more;
}

Decoder::Step Decoder::finish() {
  return lines_.has_partial_line() ? refuse(Errc::half_line, "") : Step::need_more;
}

Decoder::Step Decoder::decode(std::string_view line, bool may_be_usual) {
  if (line.starts_with(BatchReader::kUsualStart) && batches_->read_usual(line)) return Step::batch;
  switch (may_be_usual ? reader_.read(line, operation_) : reader_.read_any(line, operation_)) {
    case OperationReader::Outcome::operation: return Step::operation;
    case OperationReader::Outcome::refused: return refuse(reader_.refusal(), reader_.refused_field());
    case OperationReader::Outcome::typed: break;
  }
  return decode_typed(line);
}

Decoder::Step Decoder::decode_typed(std::string_view line) {
  const auto document = parse_json(line);
  if (!document) return refuse(json_errc(document.error()), "");
  const auto* object = document->if_object();
  if (object == nullptr) return refuse(Errc::not_an_object, "");
  if (const auto* type = object->if_contains("type"); type != nullptr && *type == "batch") {
    if (const auto refusal = batches_->read(*object)) return refuse(refusal->reason, refusal->detail);
    return Step::batch;
  }
  auto read = read_message(*object);
  if (!read) {
    refusal_ = std::move(read).error();
    return Step::refusal;
  }
  message_ = *std::move(read);
  return Step::message;
}

Decoder::Step Decoder::refuse(Errc reason, std::string_view detail) {
  refusal_.reason = reason;
  refusal_.detail = detail;
  return Step::refusal;
}

}  // namespace metricsd::ipc
