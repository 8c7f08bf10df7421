// One operation as the client library writes it, with the fields that most have.
#pragma once

#include <string_view>

inline constexpr std::string_view kUsualLine =
    R"({"operation_id":"0f3a9c1122334455-1-42","timestamp_start":"2026-01-31T23:59:59.123456Z",)"
    R"("timestamp_end":"2026-01-31T23:59:59.235956Z","operation_type":"upload","workload_type":"s3",)"
    R"("object_key":"bucket/object-000000042","object_size_bytes":1048576,"duration_ms":112.5,)"
    R"("throughput_mbps":8.88888888888889,"success":true,"driver":"boto","user_id":"user-7"})"
    "\n";
