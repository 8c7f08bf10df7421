#include "renderers.h"

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/encoder.h>

#include <random>
#include <string_view>

#include <unistd.h>

namespace metricsd::load {

namespace {

constexpr std::size_t kSequence = 0;  // the counter of a batch's first_seq

ipc::SharedFieldsView shared_fields(const Event& event) {
  return {.operation_type = event.labels().operation,
          .workload_type = event.labels().workload,
          .driver = event.labels().driver,
          .success = event.success};
}

// An encoder whose dictionary knows every series, as that of a client has come to after a while.
ipc::BatchEncoder encoder_at_work() {
  ipc::BatchEncoder encoder;
  encoder.begin(0, kFirstNumber);
  for (std::size_t label_set = 0; label_set < kLabelSets.size(); ++label_set) {
    for (const bool success : {true, false})
      (void)encoder.shared(shared_fields({.label_set = label_set, .success = success}));
  }
  std::string ignored;
  encoder.finish(ignored);
  return encoder;
}

}  // namespace

Payload render_metricsd_lines(std::span<const Event> events, std::size_t events_a_write) {
  return render_writes(events, events_a_write, [](PayloadBuilder& out, std::span<const Event> of_write) {
    for (const Event& event : of_write) {
      ipc::encode(out.text(), OperationView{.operation_type = event.labels().operation,
                                            .workload_type = event.labels().workload,
                                            .object_size_bytes = event.bytes,
                                            .duration_ns = event.duration_ns,
                                            .success = event.success,
                                            .driver = event.labels().driver});
    }
  });
}

Payload render_metricsd_batches(std::span<const Event> events, std::size_t events_a_write) {
  ipc::BatchEncoder encoder = encoder_at_work();
  return render_writes(events, events_a_write, [&](PayloadBuilder& out, std::span<const Event> of_write) {
    const std::size_t begin = out.text().size();
    const std::uint64_t first_seq = out.value(kSequence);
    encoder.begin(0, first_seq);
    for (const Event& event : of_write)
      encoder.add(encoder.shared(shared_fields(event)), event.duration_ns, event.bytes, 0);
    encoder.finish(out.text());
    out.let_grow(kSequence, out.text().find(std::to_string(first_seq), begin));
    out.add(kSequence, of_write.size());
  });
}

std::string metricsd_hello() {
  constexpr std::string_view kHex = "0123456789abcdef";
  ipc::HelloMessage hello;
  std::random_device random;
  while (hello.client_id.size() < 32) hello.client_id += kHex[random() % kHex.size()];
  hello.pid = static_cast<std::uint64_t>(::getpid());
  hello.streams = {{.stream = 0, .first_seq = kFirstNumber}};
  std::string line;
  ipc::encode(line, hello);
  return line;
}

}  // namespace metricsd::load
