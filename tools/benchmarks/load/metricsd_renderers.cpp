#include "renderers.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/json/writer.h>

#include <array>
#include <random>

#include <unistd.h>

namespace metricsd::load {

namespace {

constexpr std::size_t kSequence = 0;  // the running counter of a batch's first_seq

void append_shared(JsonWriter& json, const Event& event) {
  json.begin_object()
      .field("operation_type", event.labels().operation)
      .field("workload_type", event.labels().workload)
      .field("driver", event.labels().driver)
      .field("success", event.success)
      .end_object();
}

// The dictionary of what rows share: index of a series in it, in the order of their first row.
class SharedEntries {
 public:
  explicit SharedEntries(std::span<const Event> events) {
    for (const Event& event : events) {
      std::size_t& index = index_[event.series()];
      if (index != kNone) continue;
      index = firsts_.size();
      firsts_.push_back(&event);
    }
  }
  [[nodiscard]] const std::vector<const Event*>& firsts() const { return firsts_; }
  [[nodiscard]] std::size_t index(const Event& event) const { return index_[event.series()]; }

 private:
  static constexpr std::size_t kNone = kSeries;
  std::array<std::size_t, kSeries> index_ = [] {
    std::array<std::size_t, kSeries> none{};
    none.fill(kNone);
    return none;
  }();
  std::vector<const Event*> firsts_;
};

}  // namespace

void render_metricsd_lines(PayloadBuilder& out, std::span<const Event> events) {
  OperationMetric operation;
  for (const Event& event : events) {
    operation.operation_type = event.labels().operation;
    operation.workload_type = event.labels().workload;
    operation.driver = event.labels().driver;
    operation.object_size_bytes = event.bytes;
    operation.duration_ns = event.duration_ns;
    operation.success = event.success;
    ipc::encode(out.text(), operation);
  }
}

void render_metricsd_batch(PayloadBuilder& out, std::span<const Event> events) {
  const SharedEntries shared(events);
  out.text() += R"({"type":"batch","stream":0,"first_seq":)";
  out.append_then_add(kSequence, events.size());
  out.text() += R"(,"count":)" + std::to_string(events.size()) + R"(,"shared":)";
  JsonWriter dictionary(out.text());
  dictionary.begin_array();
  for (const Event* event : shared.firsts()) append_shared(dictionary, *event);
  dictionary.end_array();
  out.text() += R"(,"fields":["duration_ns","object_size_bytes"],"rows":)";
  JsonWriter rows(out.text());
  rows.begin_array();
  for (const Event& event : events) {
    rows.begin_array();
    rows.value(shared.index(event)).value(event.duration_ns).value(event.bytes);
    rows.end_array();
  }
  rows.end_array();
  out.text() += "}\n";
}

std::string metricsd_hello() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string client_id;
  while (client_id.size() < 32) client_id += kHex[random() % kHex.size()];
  std::string line;
  JsonWriter json(line);
  json.begin_object().field("type", "hello").field("protocol", 1).field("client_id", client_id);
  json.field("pid", ::getpid()).key("streams").begin_array();
  json.begin_object().field("stream", 0).field("first_seq", kFirstNumber).end_object();
  json.end_array().end_object();
  return line + '\n';
}

}  // namespace metricsd::load
