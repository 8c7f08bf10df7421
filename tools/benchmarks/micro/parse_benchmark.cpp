// What a fast parser alone takes for one usual line: simdjson On-Demand, every field taken, nothing checked
// but its type.

#include "keep.h"
#include "operation_lines.h"

#include <cstdint>
#include <string_view>

#include <benchmark/benchmark.h>
#include <simdjson.h>

namespace {

namespace ondemand = simdjson::ondemand;

struct Fields {
  std::string_view operation_id, start, end, type, workload, key, driver, user;
  std::uint64_t size = 0;
  double duration_ms = 0;
  double throughput = 0;
  bool success = false;
};

Fields take_fields(ondemand::document& document) {
  ondemand::object object = document.get_object();
  Fields fields;
  fields.operation_id = object.find_field("operation_id");
  fields.start = object.find_field("timestamp_start");
  fields.end = object.find_field("timestamp_end");
  fields.type = object.find_field("operation_type");
  fields.workload = object.find_field("workload_type");
  fields.key = object.find_field("object_key");
  fields.size = object.find_field("object_size_bytes");
  fields.duration_ms = object.find_field("duration_ms");
  fields.throughput = object.find_field("throughput_mbps");
  fields.success = object.find_field("success");
  fields.driver = object.find_field("driver");
  fields.user = object.find_field("user_id");
  return fields;
}

void parse_usual_line_simdjson(benchmark::State& state) {
  const simdjson::padded_string line(operation_lines::kAllFields);
  ondemand::parser parser;
  for (auto _ : state) {
    ondemand::document document = parser.iterate(line);
    const Fields fields = take_fields(document);
    metricsd::measuring::keep(fields);
  }
}
BENCHMARK(parse_usual_line_simdjson);

}  // namespace
