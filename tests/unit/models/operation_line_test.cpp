#include <metricsd/models/operation_json.h>
#include <metricsd/models/operation_line.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

// The parts of a line, or nothing: where it is no operation or was written otherwise.
class Parts {
 public:
  explicit Parts(std::string line) : line_(std::move(line)) {
    is_operation_ = reader_.read(line_, operation_) == OperationReader::Outcome::operation;
    taken_apart_ = is_operation_ && take_apart(line_, operation_, parts_);
  }

  [[nodiscard]] bool is_operation() const { return is_operation_; }
  [[nodiscard]] bool taken_apart() const { return taken_apart_; }
  [[nodiscard]] const OperationLine& operator*() const { return parts_; }
  [[nodiscard]] const OperationLine* operator->() const { return &parts_; }
  [[nodiscard]] std::string written() const {
    std::string text;
    append_operation_json(text, operation_);
    return text;
  }

 private:
  std::string line_;
  OperationReader reader_;
  OperationView operation_;
  OperationLine parts_;
  bool is_operation_ = false;
  bool taken_apart_ = false;
};

constexpr std::string_view kWhole =
    R"({"operation_id":"c-0-1","timestamp_start":"2026-01-01T00:00:00.000000Z",)"
    R"("timestamp_end":"2026-01-01T00:00:00.112500Z","operation_type":"upload","workload_type":"s3",)"
    R"("object_key":"bücket/1","object_size_bytes":1048576,"duration_ms":112.5,"throughput_mbps":8.875,)"
    R"("success":false,"error_code":"SlowDown","error_message":"please wait","retry_count":2,"driver":"rest",)"
    R"("user_id":"u1","metadata":{"part":1},"intended_start":"2025-12-31T23:59:59.999999Z"})";

std::string with(std::string_view part, std::string_view replacement) {
  std::string line(kWhole);
  const std::size_t at = line.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return line.replace(at, part.size(), replacement);
}

TEST(OperationLine, OfEveryField) {
  const Parts parts{std::string(kWhole)};
  ASSERT_TRUE(parts.taken_apart());
  EXPECT_EQ(parts->line, kWhole);
  EXPECT_EQ(parts->timestamp_start, "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(parts->timestamp_end, "2026-01-01T00:00:00.112500Z");
  EXPECT_EQ(parts->intended_start, "2025-12-31T23:59:59.999999Z");
  EXPECT_EQ(parts->object_size_bytes, "1048576");
  EXPECT_EQ(parts->duration_ms, "112.5");
  EXPECT_EQ(parts->throughput_mbps, "8.875");
  EXPECT_EQ(parts.written(), kWhole);
}

TEST(OperationLine, OfTheLeast) {
  const Parts parts(R"({"operation_type":"list","object_size_bytes":0,"duration_ms":0,"success":true})");
  ASSERT_TRUE(parts.taken_apart());
  EXPECT_EQ(parts->timestamp_start, "");
  EXPECT_EQ(parts->throughput_mbps, "");
  EXPECT_EQ(parts->object_size_bytes, "0");
  EXPECT_EQ(parts->duration_ms, "0");
}

// Each says an operation in a way that is not ours.
TEST(OperationLine, NotOfWhatIsWrittenOtherwise) {
  const std::string others[] = {
      with(R"(,"timestamp_end")", R"(, "timestamp_end")"),
      with(R"("success":)", R"("success": )"),
      std::string(kWhole) + "\r",
      std::string(kWhole) + " ",
      " " + std::string(kWhole),
      with(R"("success":false,)", R"("success":false,"other":1,)"),
      with(R"(Z"})", R"(Z","other":1})"),
      with(R"({"operation_id":"c-0-1",)", R"({"other":1,"operation_id":"c-0-1",)"),
      with(R"("operation_type":"upload","workload_type":"s3")",
           R"("workload_type":"s3","operation_type":"upload")"),
      with(R"("rest")", R"("")"),
      with(R"("c-0-1")", "null"),
      with(R"("c-0-1")", R"("c\u002d0-1")"),
      with("00:00.000000Z", "00:00Z"),
      with("00:00.000000Z", "00:00.00000Z"),
      with("00:00.000000Z", "00:00.000000000Z"),
      with("00:00.000000Z", "00:00.000000z"),
      with("00:00.000000Z", "00:00.000000"),
      with("2026-01-01T00:00:00.000000Z", "2026-01-01 00:00:00.000000Z"),
      with("2026-01-01T00:00:00.000000Z", "2026-01-01t00:00:00.000000Z"),
      with("2026-01-01T00:00:00.000000Z", "2026-01-01T01:00:00+01:00"),
      with("2026-01-01T00:00:00.000000Z", "2025-12-31T23:59:60.000000Z"),
      with("1048576", "1048576.0"),
      with("1048576", "1.048576e6"),
      with("1048576", "-0"),
      with("112.5", "112.50"),
      with("112.5", "112.0"),
      with("112.5", "1125e-1"),
      with("112.5", "112.5000001"),
      with("112.5", "-0"),
      with("8.875", "8.8750"),
      with("8.875", "null"),
      with("8.875", "8875E-3"),
      with(R"("retry_count":2)", R"("retry_count":0)"),
      with(R"({"part":1})", R"({"part": 1})"),
      with(R"({"part":1})", "{}"),
      with(R"("duration_ms":112.5,)", ""),
      with(R"("object_size_bytes":1048576,)", ""),
  };
  for (const std::string& line : others) {
    const Parts parts(line);
    EXPECT_TRUE(parts.is_operation()) << line;
    EXPECT_FALSE(parts.taken_apart()) << line;
  }
}

TEST(OperationLine, NotOfAPartOfIt) {
  const Parts whole{std::string(kWhole)};
  OperationReader reader;
  OperationView operation;
  ASSERT_EQ(reader.read(kWhole, operation), OperationReader::Outcome::operation);
  OperationLine parts;
  for (std::size_t size = 0; size < kWhole.size(); ++size) {
    EXPECT_FALSE(take_apart(kWhole.substr(0, size), operation, parts)) << size;
  }
  // Nor of the same text elsewhere: it is where the operation's texts lie that shows what was unescaped.
  EXPECT_FALSE(take_apart(std::string(kWhole), operation, parts));
}

// What the writer writes is taken apart, and what is taken apart is what the writer writes.
TEST(OperationLine, AgreesWithTheWriter) {
  std::mt19937_64 random(1);
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  int taken_apart = 0;
  for (int i = 0; i < 3000; ++i) {
    OperationMetric operation;
    if (!one_in(4)) operation.operation_id = "id-" + std::to_string(i);
    if (!one_in(4)) operation.timestamp_start = Timestamp{static_cast<std::int64_t>(random() >> 2)};
    if (operation.timestamp_start && one_in(2)) {
      operation.timestamp_end = Timestamp{operation.timestamp_start->ns + 1'000'000};
    }
    if (one_in(4)) operation.intended_start = Timestamp{static_cast<std::int64_t>(random() >> 2)};
    operation.operation_type = "upload";
    if (one_in(2)) operation.object_key = one_in(2) ? "schlüssel/\xF0\x9F\x98\x80" : "with \"quotes\"\n";
    operation.object_size_bytes = random() >> 11 >> random() % 53;
    operation.duration_ns = static_cast<std::int64_t>(random() >> 15 >> random() % 49);
    if (one_in(2)) operation.throughput_mbps = static_cast<double>(random()) / static_cast<double>(random());
    operation.success = one_in(2);
    if (one_in(3)) operation.retry_count = random() % 100;
    if (one_in(3)) operation.metadata = R"({"a":[1,{"b":null}]})";
    std::string line;
    append_operation_json(line, operation);

    const Parts parts(line);
    ASSERT_TRUE(parts.is_operation()) << line;
    ASSERT_EQ(parts.written(), line);
    const bool escaped = line.find('\\') != std::string::npos;
    if (escaped || operation.metadata.empty()) {  // metadata the reader may have copied
      ASSERT_EQ(parts.taken_apart(), !escaped) << line;
    }
    taken_apart += parts.taken_apart() ? 1 : 0;

    // One character changed: mostly no operation any more. Where it is one, the two must still agree.
    std::string changed = line;
    changed[random() % changed.size()] = " 0Z9.-e,\"}{:az+"[random() % 15];
    const Parts other(changed);
    const bool in_throughput = other.taken_apart() && !other->throughput_mbps.empty();
    if (other.taken_apart() && !in_throughput) {
      EXPECT_EQ(other.written(), changed);
    }
  }
  EXPECT_GT(taken_apart, 1000);
}

}  // namespace
}  // namespace metricsd
