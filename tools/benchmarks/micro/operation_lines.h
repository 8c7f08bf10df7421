// Lines of operations, and the operations they tell, for the benchmarks that read and write them.
#pragma once

#include <metricsd/models/operation.h>

#include <cstdint>
#include <string>
#include <vector>

namespace operation_lines {

// As our client writes it.
inline const std::string kAllFields =
    R"({"operation_id":"0f3a9c1122334455-1-42","timestamp_start":"2026-01-31T23:59:59.123456Z",)"
    R"("timestamp_end":"2026-01-31T23:59:59.235956Z","operation_type":"upload","workload_type":"s3",)"
    R"("object_key":"bucket/object-000000042","object_size_bytes":1048576,"duration_ms":112.5,)"
    R"("throughput_mbps":8.88888888888889,"success":true,"driver":"boto","user_id":"user-7"})";

// As json.dumps() and datetime.isoformat() write it.
inline const std::string kAllFieldsFromPython =
    R"({"operation_id": "0f3a9c1122334455-1-42", "timestamp_start": "2026-01-31T23:59:59.123456+00:00", )"
    R"("timestamp_end": "2026-01-31T23:59:59.235956+00:00", "operation_type": "upload", "workload_type": "s3", )"
    R"("object_key": "bucket/object-000000042", "object_size_bytes": 1048576, "duration_ms": 112.50000000000001, )"
    R"("throughput_mbps": 8.88888888888889, "success": true, "error_code": null, "driver": "boto", )"
    R"("user_id": "user-7", "metadata": {}})";

// The shortest useful one, keys in an order of its own.
inline const std::string kFewFields =
    R"({"operation_type":"upload","duration_ms":112.5,"object_size_bytes":1048576,"success":true})";

// What the fast path leaves to the careful one.
inline const std::string kWithAnEscape =
    R"({"operation_id":"0f3a9c1122334455-1-42","timestamp_start":"2026-01-31T23:59:59.123456Z",)"
    R"("timestamp_end":"2026-01-31T23:59:59.235956Z","operation_type":"upload","workload_type":"s3",)"
    R"("object_key":"bucket\/object-000000042","object_size_bytes":1048576,"duration_ms":112.5,)"
    R"("throughput_mbps":8.88888888888889,"success":true,"driver":"boto","user_id":"user-7"})";

// `count` operations whose sizes, times, names and outcomes vary.
std::vector<metricsd::OperationMetric> operations_of_a_workload(std::int64_t count);

// The same, a line each.
std::string of_a_workload(std::int64_t count);

}  // namespace operation_lines
