#include "batch_lines.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>

#include <variant>

namespace metricsd::client {
namespace {

// A place in a stream means something after a hello only.
void append_unnumbered(std::string& out, ipc::Message message) {
  auto* const samples = std::get_if<ipc::SamplesMessage>(&message);
  if (samples == nullptr) return;
  samples->position.reset();
  ipc::encode(out, *samples);
}

}  // namespace

void append_batch_as_lines(std::string& out, std::string_view batch) {
  ipc::Decoder decoder(limits::kBatchLine);
  decoder.feed(batch);
  const auto step = decoder.next();
  if (step == ipc::Decoder::Step::message) append_unnumbered(out, decoder.message());
  if (step != ipc::Decoder::Step::batch) return;
  const ipc::Batch& read = decoder.batch();
  for (const ipc::BatchRow& row : read.rows) {
    if (row.shared == ipc::BatchRow::kNoOperation) continue;
    const ipc::SharedFields& shared = read.shared[row.shared];
    OperationView operation;
    operation.operation_type = shared.operation_type;
    operation.workload_type = shared.workload_type;
    operation.driver = shared.driver;
    operation.success = shared.success;
    operation.error_code = shared.error_code;
    operation.duration_ns = row.duration_ns;
    operation.object_size_bytes = row.object_size_bytes;
    operation.retry_count = row.retry_count;
    ipc::encode(out, operation);
  }
}

}  // namespace metricsd::client
