// From bytes to operations, batches of them, messages and refusals, without I/O. Lives for one connection;
// one thread.
//
//   decoder.feed(bytes);
//   while (true) {
//     switch (decoder.next()) {
//       case Decoder::Step::operation: fold(decoder.operation()); break;
//       case Decoder::Step::batch: fold(decoder.batch()); break;
//       case Decoder::Step::message: handle(decoder.message()); break;
//       case Decoder::Step::refusal: count(decoder.refusal()); break;
//       case Decoder::Step::need_more: return;
//     }
//   }
#pragma once

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/line_splitter.h>
#include <metricsd/ipc/message.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/operation_json.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace metricsd::ipc {

class BatchReader;

class Decoder {
 public:
  enum class Step { operation, batch, message, refusal, need_more };

  // The first line may be longer if it is a hello: one that begins with its type.
  explicit Decoder(std::size_t max_line = limits::kPlainLine);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder();

  // For the lines that begin after this one: a peer that said hello may send longer ones.
  void set_max_line(std::size_t bytes) { lines_.set_max_line(bytes); }

  // Takes bytes in; they must stay alive until next() says need_more.
  void feed(std::string_view bytes) { lines_.feed(bytes); }
  Step next();
  // What was fed and lies behind the line that the last step found: for another decoder to go on with.
  [[nodiscard]] std::string_view take_rest() { return lines_.take_rest(); }
  // Memory that a line takes up which has not ended yet.
  [[nodiscard]] std::size_t held_bytes() const { return lines_.held_bytes(); }
  // At the connection's end: a half line is a refusal (Errc::half_line), else need_more.
  Step finish();

  // What the last step found; valid until the next one. What is large goes at need_more, with its memory. Of
  // an operation throughput_mbps is left out: it follows from what is counted.
  [[nodiscard]] const OperationView& operation() const { return operation_; }
  [[nodiscard]] const Batch& batch() const;
  [[nodiscard]] const Message& message() const { return message_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  // Unknown fields of the operation just read.
  [[nodiscard]] std::uint64_t unknown_fields() const { return reader_.unknown_fields(); }

 private:
  Step decode(std::string_view line, bool may_be_usual);
  Step decode_typed(std::string_view line);
  Step refuse(Errc reason, std::string_view detail);

  LineSplitter lines_;
  OperationReader reader_;
  OperationView operation_;
  std::unique_ptr<BatchReader> batches_;
  Message message_;
  Refusal refusal_;
};

}  // namespace metricsd::ipc
