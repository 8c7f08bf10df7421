#include "transcript.h"

#include "fuzzing.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/support/batch_text.h>
#include <metricsd/support/exact_text.h>
#include <metricsd/support/operation_text.h>

#include <type_traits>
#include <variant>

namespace metricsd::fuzz {
namespace {

using ipc::Decoder;

// A line that we write of what we read reads the same: whoever passes it on loses nothing.
void check_line(const std::string& line, std::string_view what) {
  Decoder decoder(limits::kBatchLine * 8);
  decoder.feed(line);
  const Decoder::Step step = decoder.next();
  std::string again;
  if (step == Decoder::Step::operation) ipc::encode(again, decoder.operation());
  if (step == Decoder::Step::message) {
    std::visit(
        [&](const auto& message) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(message)>, ipc::UnknownMessage>) {
            ipc::encode(again, message);
          }
        },
        decoder.message());
  }
  check_same(line, again, what);
}

std::string text_of(const OperationView& operation) {
  std::string line;
  ipc::encode(line, operation);
  check_line(line, "an operation is written as it was not read");
  return line;
}

std::string text_of(const ipc::UnknownMessage& message) {
  return "unknown " + message.type + "\n";
}

// Its refused rows are told apart: no line says them.
std::string text_of(const ipc::SamplesMessage& message) {
  std::string line;
  ipc::encode(line, message);
  check_line(line, "samples are written as they were not read");
  for (const ipc::RefusedRow& row : message.refused) {
    line += std::to_string(row.row) + "!" + std::string(reason(row.reason)) + "\n";
  }
  return line;
}

template <class Message>
std::string text_of(const Message& message) {
  std::string line;
  ipc::encode(line, message);
  check_line(line, "a message is written as it was not read");
  return line;
}

}  // namespace

void Transcript::feed(std::string_view bytes) {
  const support::ExactText exact(bytes);
  decoder_.feed(exact.view());
  for (auto step = decoder_.next(); step != Decoder::Step::need_more; step = decoder_.next()) note(step);
}

void Transcript::finish() {
  if (const auto step = decoder_.finish(); step != Decoder::Step::need_more) note(step);
}

void Transcript::note(Decoder::Step step) {
  switch (step) {
    case Decoder::Step::operation:
      text_ += support::text_of(decoder_.operation()) + " unknown " +
               std::to_string(decoder_.unknown_fields()) + "\n" + text_of(decoder_.operation());
      break;
    case Decoder::Step::batch: text_ += support::text_of(decoder_.batch()) + "\n"; break;
    case Decoder::Step::message:
      text_ += std::visit([](const auto& message) { return text_of(message); }, decoder_.message());
      break;
    case Decoder::Step::refusal:
      text_ += std::string(reason(decoder_.refusal().reason)) + ":" + decoder_.refusal().detail + "\n";
      break;
    case Decoder::Step::need_more: break;
  }
}

}  // namespace metricsd::fuzz
