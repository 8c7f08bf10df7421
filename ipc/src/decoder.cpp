#include "message_json.h"

#include <metricsd/ipc/decoder.h>

#include <utility>

namespace metricsd::ipc {

Decoder::Step Decoder::next() {
  switch (lines_.next()) {
    case LineSplitter::Step::line: return decode(lines_.line());
    case LineSplitter::Step::too_long: return refuse(Errc::line_too_long, "");
    case LineSplitter::Step::need_more: break;
  }
  message_ = Message{};  // a connection that idles keeps no samples
  return Step::need_more;
}

Decoder::Step Decoder::finish() {
  return lines_.has_partial_line() ? refuse(Errc::half_line, "") : Step::need_more;
}

Decoder::Step Decoder::decode(std::string_view line) {
  switch (reader_.read(line, operation_)) {
    case OperationReader::Outcome::operation: return Step::operation;
    case OperationReader::Outcome::refused: return refuse(reader_.refusal(), reader_.refused_field());
    case OperationReader::Outcome::typed: break;
  }
  auto read = read_message(line);
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
