// An operation with every field set, for what writes operations.
#pragma once

#include <metricsd/models/operation.h>
#include <metricsd/models/timestamp.h>

namespace metricsd::exporters {

inline OperationMetric sample_operation() {
  OperationMetric operation;
  operation.operation_id = "c1-0-7";
  operation.timestamp_start = Timestamp{1'767'225'600 * kNsPerSecond};
  operation.timestamp_end = Timestamp{1'767'225'600 * kNsPerSecond + 112'500'000};
  operation.intended_start = Timestamp{1'767'225'599 * kNsPerSecond};
  operation.operation_type = "upload";
  operation.workload_type = "s3";
  operation.object_key = "bucket/key";
  operation.object_size_bytes = 1'048'576;
  operation.duration_ns = 112'500'000;
  operation.throughput_mbps = 8.875;
  operation.success = false;
  operation.error_code = "SlowDown";
  operation.error_message = "please reduce your rate";
  operation.retry_count = 2;
  operation.driver = "boto3";
  operation.user_id = "user-1";
  operation.metadata = R"({"part":1})";
  return operation;
}

}  // namespace metricsd::exporters
