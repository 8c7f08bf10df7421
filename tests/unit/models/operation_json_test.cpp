#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using Outcome = OperationReader::Outcome;

// A line with the two required fields that have no default beside what is given.
std::string with(const std::string& fields) {
  return R"({"operation_type":"upload","success":true,"duration_ms":1)" +
         (fields.empty() ? "" : "," + fields) + "}";
}

struct Read {
  Outcome outcome;
  OperationMetric operation;
  Errc refusal{};
  std::string field;
  std::uint64_t unknown_fields = 0;
};

Read read(std::string_view text) {
  OperationReader reader;
  Read result;
  OperationView operation;
  result.outcome = reader.read(text, operation);
  if (result.outcome == Outcome::operation) result.operation = operation.with_texts<std::string>();
  if (result.outcome == Outcome::refused) {
    result.refusal = reader.refusal();
    result.field = reader.refused_field();
  }
  result.unknown_fields = reader.unknown_fields();
  return result;
}

void expect_refused(const std::string& text, Errc reason, const std::string& field) {
  const Read result = read(text);
  ASSERT_EQ(result.outcome, Outcome::refused) << text;
  EXPECT_EQ(result.refusal, reason) << text;
  EXPECT_EQ(result.field, field) << text;
}

TEST(OperationJson, ReadsEveryField) {
  const Read result = read(R"({ "operation_id" : "id-1", "timestamp_start":"2026-01-01T00:00:00Z",
    "timestamp_end":"2026-01-01 00:00:01", "operation_type":"upload","workload_type":"s3","object_key":"b/k\u00e9",
    "object_size_bytes":1048576.0,"duration_ms":112.5,"throughput_mbps":8.9,"success":false,"error_code":"SlowDown",
    "error_message":"later","retry_count":2,"driver":"boto","user_id":"u1",
    "metadata":{"b":[1, 2.50,{"c":null}],"a":"x\n","t":true},"intended_start":"2025-12-31T23:59:59.5Z"})");
  ASSERT_EQ(result.outcome, Outcome::operation);
  const OperationMetric& op = result.operation;
  EXPECT_EQ(op.operation_id, "id-1");
  EXPECT_EQ(op.timestamp_end->ns - op.timestamp_start->ns, kNsPerSecond);
  EXPECT_EQ(op.operation_type, "upload");
  EXPECT_EQ(op.workload_type, "s3");
  EXPECT_EQ(op.object_key, "b/k\xC3\xA9");
  EXPECT_EQ(op.object_size_bytes, 1'048'576u);
  EXPECT_EQ(op.duration_ns, 112'500'000);
  EXPECT_EQ(op.throughput_mbps, 8.9);
  EXPECT_FALSE(op.success);
  EXPECT_EQ(op.error_code, "SlowDown");
  EXPECT_EQ(op.error_message, "later");
  EXPECT_EQ(op.retry_count, 2u);
  EXPECT_EQ(op.driver, "boto");
  EXPECT_EQ(op.user_id, "u1");
  EXPECT_EQ(op.metadata, R"({"b":[1,2.50,{"c":null}],"a":"x\n","t":true})");
  EXPECT_EQ(format_timestamp(*op.intended_start), "2025-12-31T23:59:59.500000Z");
}

TEST(OperationJson, WritesWhatItReads) {
  const std::string text =
      R"({"operation_id":"x","timestamp_start":"2026-01-01T00:00:00.000001Z","timestamp_end":"2026-01-01T00:00:00.100000Z",)"
      R"("operation_type":"a","workload_type":"s3","object_key":"k\"\\","object_size_bytes":5,"duration_ms":0.099999,)"
      R"("throughput_mbps":0.1,"success":false,"error_code":"E","error_message":"m","retry_count":1,"driver":"d",)"
      R"("user_id":"u","metadata":{"k":[{}]},"intended_start":"2026-01-01T00:00:00.000000Z"})";
  std::string out;
  append_operation_json(out, read(text).operation);
  EXPECT_EQ(out, text);
}

TEST(OperationJson, LeavesOutWhatIsAbsent) {
  std::string out;
  append_operation_json(out, read(with("")).operation);
  EXPECT_EQ(out, R"({"operation_type":"upload","object_size_bytes":0,"duration_ms":1,"success":true})");
}

TEST(OperationJson, TakesTheDurationFromTheTimestampsWhereItIsNotGiven) {
  const Read result = read(R"({"operation_type":"a","success":true,"timestamp_end":"2026-01-01T00:00:00.25Z",
                               "timestamp_start":"2026-01-01T00:00:00Z"})");
  ASSERT_EQ(result.outcome, Outcome::operation);
  EXPECT_EQ(result.operation.duration_ns, 250'000'000);
}

TEST(OperationJson, BelievesTheDurationOverTheTimestamps) {
  const std::string reversed =
      R"("timestamp_start":"2026-01-01T00:00:01Z","timestamp_end":"2026-01-01T00:00:00Z")";
  EXPECT_EQ(read(with(reversed)).operation.duration_ns, 1'000'000);
  expect_refused(R"({"operation_type":"a","success":true,)" + reversed + "}", Errc::end_before_start,
                 "timestamp_end");
}

TEST(OperationJson, NullMeansAbsent) {
  const Read result =
      read(with(R"("error_code":null,"metadata":null,"workload_type":null,"timestamp_start":null)"));
  ASSERT_EQ(result.outcome, Outcome::operation);
  EXPECT_EQ(result.operation.error_code, "");
  expect_refused(R"({"operation_type":null,"success":true,"duration_ms":1})", Errc::missing_field,
                 "operation_type");
  expect_refused(R"({"operation_type":"a","success":null,"duration_ms":1})", Errc::missing_field, "success");
  expect_refused(R"({"operation_type":"a","success":true,"duration_ms":null})", Errc::missing_field,
                 "duration_ms");
}

TEST(OperationJson, CountsUnknownFieldsAndLooksNoFurther) {
  const Read result =
      read(with(R"("zone":"a","nested":{"success":5,"success":6,"type":"x"},"list":[[1e400],"x"])"));
  ASSERT_EQ(result.outcome, Outcome::operation);
  EXPECT_EQ(result.unknown_fields, 3u);
}

TEST(OperationJson, LeavesTypedObjectsToTheProtocol) {
  EXPECT_EQ(read(R"({"type":"users","count":3})").outcome, Outcome::typed);
  EXPECT_EQ(read(R"({"driver":5,"success":1,"type":"hello"})").outcome, Outcome::typed);
  EXPECT_EQ(read(R"({"ty\u0070e":"users"})").outcome, Outcome::typed);
}

TEST(OperationJson, RefusesMissingFields) {
  expect_refused("{}", Errc::missing_field, "operation_type");
  expect_refused(R"({"success":true,"duration_ms":1})", Errc::missing_field, "operation_type");
  expect_refused(R"({"operation_type":"a","duration_ms":1})", Errc::missing_field, "success");
  expect_refused(R"({"operation_type":"a","success":true})", Errc::missing_field, "duration_ms");
  expect_refused(R"({"operation_type":"a","success":true,"timestamp_start":"2026-01-01T00:00:00Z"})",
                 Errc::missing_field, "duration_ms");
}

TEST(OperationJson, RefusesAFieldGivenTwice) {
  expect_refused(with(R"("success":true)"), Errc::duplicate_field, "success");
  expect_refused(with(R"("driver":null,"driver":"x")"), Errc::duplicate_field, "driver");
}

TEST(OperationJson, RefusesWrongTypes) {
  expect_refused(R"({"operation_type":"a","success":true,"duration_ms":"112"})", Errc::wrong_type,
                 "duration_ms");
  expect_refused(R"({"operation_type":1,"success":true,"duration_ms":1})", Errc::wrong_type,
                 "operation_type");
  expect_refused(R"({"operation_type":"a","success":1,"duration_ms":1})", Errc::wrong_type, "success");
  expect_refused(R"({"operation_type":"a","success":"true","duration_ms":1})", Errc::wrong_type, "success");
  expect_refused(with(R"("metadata":"x")"), Errc::wrong_type, "metadata");
  expect_refused(with(R"("metadata":[])"), Errc::wrong_type, "metadata");
  expect_refused(with(R"("object_key":{})"), Errc::wrong_type, "object_key");
  expect_refused(with(R"("retry_count":true)"), Errc::wrong_type, "retry_count");
  expect_refused(with(R"("timestamp_start":1767225600)"), Errc::wrong_type, "timestamp_start");
}

TEST(OperationJson, RefusesNumbersOutOfRange) {
  for (const char* value : {"-1", "1e400", "-1e400", "9007199254740993", "9223372036854775808", "1.5", "1e-3",
                            "18446744073709551616"}) {
    expect_refused(with(std::string(R"("object_size_bytes":)") + value), Errc::out_of_range,
                   "object_size_bytes");
    expect_refused(with(std::string(R"("retry_count":)") + value), Errc::out_of_range, "retry_count");
  }
  EXPECT_EQ(read(with(R"("object_size_bytes":9007199254740992)")).operation.object_size_bytes,
            limits::kWhole);
  expect_refused(with(R"("throughput_mbps":-0.5)"), Errc::out_of_range, "throughput_mbps");
  expect_refused(with(R"("throughput_mbps":1e999)"), Errc::out_of_range, "throughput_mbps");
  expect_refused(with(R"("metadata":{"a":1e999})"), Errc::out_of_range, "metadata");
  expect_refused(R"({"operation_type":"a","success":true,"duration_ms":1e10})", Errc::out_of_range,
                 "duration_ms");
  expect_refused(R"({"operation_type":"a","success":true,"duration_ms":-0.1})", Errc::out_of_range,
                 "duration_ms");
}

TEST(OperationJson, BoundsEveryText) {
  const auto text = [](const char* key, std::size_t size) {
    return '"' + std::string(key) + "\":\"" + std::string(size, 'x') + '"';
  };
  const struct {
    const char* key;
    std::size_t limit;
  } fields[] = {{"operation_id", 128}, {"workload_type", 64},   {"object_key", 1024}, {"error_code", 128},
                {"driver", 128},       {"error_message", 4096}, {"user_id", 256}};
  for (const auto& field : fields) {
    EXPECT_EQ(read(with(text(field.key, field.limit))).outcome, Outcome::operation) << field.key;
    expect_refused(with(text(field.key, field.limit + 1)), Errc::too_long, field.key);
  }
  expect_refused(with(R"("operation_id":"")"), Errc::out_of_range, "operation_id");
}

TEST(OperationJson, RefusesCharactersThatNoLabelOrFileShouldSee) {
  expect_refused(R"({"operation_type":"up load","success":true,"duration_ms":1})", Errc::invalid_characters,
                 "operation_type");
  expect_refused(R"({"operation_type":"","success":true,"duration_ms":1})", Errc::invalid_characters,
                 "operation_type");
  expect_refused(R"({"operation_type":"é","success":true,"duration_ms":1})", Errc::invalid_characters,
                 "operation_type");
  expect_refused(with(R"("driver":"a\u0000b")"), Errc::invalid_characters, "driver");
  EXPECT_EQ(read(with(R"("driver":"line\nbreak\" and \\")")).operation.driver, "line\nbreak\" and \\");
}

TEST(OperationJson, RefusesWhatIsNotOneObject) {
  for (const char* text :
       {"", "{", R"({"a")", R"({"a":1,})", R"({"a":tru})", R"({"duration_ms":NaN})", R"({"a":Infinity})",
        R"({"driver":"\ud800"})", "{\"driver\":\"\xFF\"}", "{} {}", "x"}) {
    expect_refused(text, Errc::malformed_json, "");
  }
  for (const char* text : {"[]", "5", "5.5", "true", "null", "\"x\"", "[{}]"}) {
    expect_refused(text, Errc::not_an_object, "");
  }
  expect_refused(with(R"("metadata":{"a":)" + std::string(31, '[') + std::string(31, ']') + "}"),
                 Errc::too_deep, "");
}

TEST(OperationJson, ForgetsTheLineBefore) {
  OperationReader reader;
  OperationView operation;
  ASSERT_EQ(reader.read(with(R"("driver":"d","metadata":{"a":1},"x":1)"), operation), Outcome::operation);
  ASSERT_EQ(reader.read(R"({"driver":"half)", operation), Outcome::refused);
  const std::string line = with("");
  ASSERT_EQ(reader.read(line, operation), Outcome::operation);
  EXPECT_EQ(operation.driver, "");
  EXPECT_EQ(operation.metadata, "");
  EXPECT_EQ(reader.unknown_fields(), 0u);
}

}  // namespace
}  // namespace metricsd
