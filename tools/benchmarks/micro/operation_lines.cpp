#include "operation_lines.h"

#include <metricsd/models/operation_json.h>

#include <array>
#include <cmath>
#include <random>

namespace operation_lines {

using namespace metricsd;

std::vector<OperationMetric> operations_of_a_workload(std::int64_t count) {
  std::mt19937_64 random(1);
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  constexpr std::array<const char*, 4> kTypes{"upload", "download", "list", "delete"};
  std::vector<OperationMetric> operations;
  std::int64_t now_ns = 1'769'900'000 * kNsPerSecond;
  for (std::int64_t i = 0; i < count; ++i) {
    OperationMetric operation;
    operation.operation_id = "0f3a9c1122334455-" + std::to_string(below(16)) + "-" + std::to_string(i);
    operation.operation_type = kTypes[below(kTypes.size())];
    operation.workload_type = "s3";
    operation.object_key =
        "bucket-" + std::to_string(below(20)) + "/object-" + std::to_string(random() >> below(60));
    operation.object_size_bytes = below(std::uint64_t{1} << (10 + below(15)));
    operation.duration_ns =
        static_cast<std::int64_t>(std::exp(static_cast<double>(below(1000)) / 100) * 100'000);
    operation.timestamp_start = Timestamp{now_ns};
    operation.timestamp_end = Timestamp{now_ns + operation.duration_ns};
    operation.success = below(50) != 0;
    if (operation.success) {
      operation.throughput_mbps = throughput_of(operation.object_size_bytes, operation.duration_ns);
    } else {
      operation.error_code = "SlowDown";
      operation.error_message = "Please reduce your request rate.";
      operation.retry_count = below(5);
    }
    operation.driver = "boto";
    operation.user_id = "user-" + std::to_string(below(200));
    now_ns += static_cast<std::int64_t>(below(2'000'000));
    operations.push_back(std::move(operation));
  }
  return operations;
}

std::string of_a_workload(std::int64_t count) {
  std::string lines;
  for (const OperationMetric& operation : operations_of_a_workload(count)) {
    append_operation_json(lines, operation);
    lines += '\n';
  }
  return lines;
}

}  // namespace operation_lines
