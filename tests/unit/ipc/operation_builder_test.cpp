#include <metricsd/ipc/operation_builder.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>

#include <chrono>
#include <deque>
#include <limits>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

// A record as its fields, and as the ring would give it.
struct Fields {
  std::int64_t start_ns = 0;
  std::int64_t intended_start_ns = 0;
  std::int64_t duration_ns = 0;
  std::uint64_t object_size_bytes = 0;
  std::uint64_t retry_count = 0;
  bool success = true;
  bool has_intended_start = false;
  std::uint16_t flags = 0;
  std::uint32_t handle = 0;
  std::string_view operation_type{};
  std::string_view object_key{};
  std::string_view error_code{};
  std::string_view error_message{};
  std::string_view workload_type{};
  std::string_view driver{};
  std::string_view user_id{};
  std::string_view metadata{};
  std::string_view operation_id{};

  [[nodiscard]] ipc::Record read() const {
    const int success_flag = success ? record_flags::kSuccess : 0;
    const int intended_flag = has_intended_start ? record_flags::kIntendedStart : 0;
    ipc::Record record;
    record.header.handle = handle;
    record.header.start = start_ns;
    record.header.duration = duration_ns;
    record.header.object_size_bytes = object_size_bytes;
    record.header.retry_count = retry_count;
    record.header.flags = static_cast<std::uint16_t>(flags | success_flag | intended_flag);
    record.intended_start_ns = intended_start_ns;
    record.texts = {operation_type, object_key, error_code, error_message, workload_type,
                    driver,         user_id,    metadata,   operation_id};
    return record;
  }
};

class Names : public RecordNameSource {
 public:
  std::uint32_t bind(std::string_view operation_type, std::string_view workload_type,
                     std::string_view driver) {
    entries_.push_back(RecordNames::of(operation_type, workload_type, driver));
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  void refresh(std::vector<const RecordNames*>& entries) const override {
    for (std::size_t i = entries.size(); i < entries_.size(); ++i) entries.push_back(&entries_[i]);
  }

 private:
  std::deque<RecordNames> entries_{RecordNames{}};  // of kNoHandle
};

class OperationBuilderTest : public ::testing::Test {
 protected:
  // Builds it and reads it back as a daemon would.
  bool build(const Fields& record) {
    if (!builder_.build(record.read(), 3, 7, built_)) return false;
    std::string line;
    append_operation_json(line, built_);
    EXPECT_LT(line.size(), limits::kPlainLine);
    OperationReader reader;
    OperationView read;
    EXPECT_EQ(reader.read(line, read), OperationReader::Outcome::operation)
        << reason(reader.refusal()) << " " << reader.refused_field() << " " << line.substr(0, 200);
    return true;
  }

  Names names_;
  OperationBuilder builder_{{.workload_type = "s3", .driver = "boto", .id_prefix = "abc"},
                            names_,
                            CounterTimeline(CounterReading::take())};
  OperationView built_;
};

TEST_F(OperationBuilderTest, FillsInWhatWasNotGiven) {
  ASSERT_TRUE(build({.start_ns = 1000, .duration_ns = 500, .operation_type = "upload"}));
  EXPECT_EQ(built_.operation_id, "abc-3-7");
  EXPECT_EQ(built_.workload_type, "s3");
  EXPECT_EQ(built_.driver, "boto");
  EXPECT_EQ(built_.timestamp_start, Timestamp{1000});
  EXPECT_EQ(built_.timestamp_end, Timestamp{1500});
  EXPECT_TRUE(builder_.warnings().empty());
}

TEST_F(OperationBuilderTest, KeepsWhatWasGiven) {
  ASSERT_TRUE(build({.operation_type = "upload",
                     .workload_type = "rbd",
                     .driver = "librbd",
                     .metadata = R"({ "a": 1 })",
                     .operation_id = "mine"}));
  EXPECT_EQ(built_.operation_id, "mine");
  EXPECT_EQ(built_.workload_type, "rbd");
  EXPECT_EQ(built_.driver, "librbd");
  EXPECT_EQ(built_.metadata, R"({"a":1})");
}

TEST_F(OperationBuilderTest, TakesTheNamesOfAHandle) {
  const std::uint32_t full = names_.bind("upload", "rbd", "librbd");
  const std::uint32_t bare = names_.bind("download", "", "");
  ASSERT_TRUE(build({.handle = full}));
  EXPECT_EQ(built_.operation_type, "upload");
  EXPECT_EQ(built_.workload_type, "rbd");
  EXPECT_EQ(built_.driver, "librbd");
  ASSERT_TRUE(build({.handle = bare, .object_key = "k"}));
  EXPECT_EQ(built_.operation_type, "download");
  EXPECT_EQ(built_.workload_type, "s3");
  EXPECT_EQ(built_.driver, "boto");
  EXPECT_EQ(built_.object_key, "k");
  EXPECT_FALSE(build({.handle = names_.bind("no good", "", "")}));
  EXPECT_FALSE(build({.handle = 12'345}));
}

TEST_F(OperationBuilderTest, NumbersItsIdsByStreamAndOrdinal) {
  const auto id_of = [this](std::uint32_t stream, std::uint64_t ordinal) {
    EXPECT_TRUE(builder_.build(Fields{.operation_type = "t"}.read(), stream, ordinal, built_));
    return std::string(built_.operation_id);
  };
  for (std::uint64_t ordinal = 1; ordinal < 1100; ++ordinal) {
    ASSERT_EQ(id_of(0, ordinal), "abc-0-" + std::to_string(ordinal));
  }
  EXPECT_EQ(id_of(1, 1100), "abc-1-1100");
  EXPECT_EQ(id_of(0, 1100), "abc-0-1100");
  EXPECT_EQ(id_of(0, 1102), "abc-0-1102");
}

TEST_F(OperationBuilderTest, TurnsTicksIntoTime) {
  const std::int64_t wall_before = system_clock().now().ns;
  const std::int64_t begin = raw_counter::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::int64_t end = raw_counter::now();
  builder_.calibrate();
  ASSERT_TRUE(build(
      {.start_ns = begin, .duration_ns = end - begin, .flags = record_flags::kTicks, .operation_type = "t"}));
  EXPECT_GE(built_.duration_ns, 5 * kNsPerMs - 10'000);
  EXPECT_GE(built_.timestamp_start->ns, wall_before - kNsPerMs);
  EXPECT_LE(built_.timestamp_end->ns, system_clock().now().ns + kNsPerMs);
  const Timestamp ended = *built_.timestamp_end;
  ASSERT_TRUE(
      build({.start_ns = end, .duration_ns = 1000, .flags = record_flags::kEndTicks, .operation_type = "t"}));
  EXPECT_EQ(built_.duration_ns, 1000);
  EXPECT_NEAR(static_cast<double>(built_.timestamp_end->ns), static_cast<double>(ended.ns), 2.0);
  EXPECT_TRUE(builder_.warnings().empty());
}

TEST_F(OperationBuilderTest, RefusesWhatTakesABadTypeFromTheRun) {
  OperationBuilder builder({.workload_type = "s 3", .driver = "", .id_prefix = "abc"}, names_,
                           CounterTimeline(CounterReading::take()));
  EXPECT_FALSE(builder.build(Fields{.operation_type = "upload"}.read(), 0, 1, built_));
  EXPECT_FALSE(builder.build(Fields{.handle = names_.bind("upload", "", "")}.read(), 0, 1, built_));
  EXPECT_TRUE(builder.build(Fields{.handle = names_.bind("upload", "s3", "")}.read(), 0, 1, built_));
}

TEST_F(OperationBuilderTest, GivesThroughputOfSuccessOnly) {
  ASSERT_TRUE(build({.duration_ns = 500'000'000, .object_size_bytes = 1 << 20, .operation_type = "upload"}));
  EXPECT_EQ(built_.throughput_mbps, 2.0);
  ASSERT_TRUE(build({.duration_ns = 500'000'000,
                     .object_size_bytes = 1 << 20,
                     .success = false,
                     .operation_type = "upload"}));
  EXPECT_FALSE(built_.throughput_mbps);
}

TEST_F(OperationBuilderTest, RefusesTypeNamesThatBreakTheirRule) {
  EXPECT_FALSE(build({}));
  EXPECT_FALSE(build({.operation_type = "up load"}));
  EXPECT_FALSE(build({.operation_type = std::string_view("\0", 1)}));
  const std::string too_long(65, 'x');
  EXPECT_FALSE(build({.operation_type = too_long}));
  EXPECT_FALSE(build({.operation_type = "upload", .workload_type = "s 3"}));
}

TEST_F(OperationBuilderTest, HoldsFiguresToTheirRanges) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t extreme : {kMost, kLeast, std::int64_t{-1}}) {
    ASSERT_TRUE(build({.start_ns = extreme,
                       .intended_start_ns = extreme,
                       .duration_ns = extreme,
                       .object_size_bytes = static_cast<std::uint64_t>(extreme),
                       .has_intended_start = true,
                       .operation_type = "upload"}));
  }
  EXPECT_THAT(builder_.warnings(), ::testing::ElementsAre(::testing::HasSubstr("out of range")));
}

TEST_F(OperationBuilderTest, HoldsTheRetriesToWhatAReaderTakes) {
  ASSERT_TRUE(build({.retry_count = std::numeric_limits<std::uint64_t>::max(), .operation_type = "upload"}));
  EXPECT_EQ(built_.retry_count, limits::kWhole);
  EXPECT_THAT(builder_.warnings(),
              ::testing::ElementsAre(::testing::HasSubstr("1 operations had a time, size or count")));
}

TEST_F(OperationBuilderTest, MakesEveryTextOneThatAReaderTakes) {
  const std::string control(20'000, '\x01');  // six bytes each once escaped
  ASSERT_TRUE(build({.operation_type = "upload",
                     .object_key = std::string_view(control).substr(0, 1028),
                     .error_code = std::string_view(control).substr(0, 132),
                     .error_message = std::string_view(control).substr(0, 4100),
                     .driver = std::string_view(control).substr(0, 132),
                     .user_id = "\xFF\xFE",
                     .operation_id = std::string_view(control).substr(0, 132)}));
  EXPECT_EQ(built_.user_id, "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(built_.object_key.size(), limits::kObjectKey);
  EXPECT_THAT(builder_.warnings(), ::testing::ElementsAre(::testing::HasSubstr("1 operations had text")));
}

TEST_F(OperationBuilderTest, LeavesBadMetadataOutAndKeepsTheRow) {
  const std::string large = "{\"a\":\"" + std::string(limits::kRecordedMetadata, 'x') + "\"}";
  for (const std::string_view bad :
       {std::string_view("[1]"), std::string_view("{"), std::string_view(large)}) {
    ASSERT_TRUE(build({.operation_type = "upload", .metadata = bad}));
    EXPECT_EQ(built_.metadata, "");
  }
  EXPECT_THAT(builder_.warnings(), ::testing::ElementsAre(::testing::HasSubstr("3 operations had metadata")));
}

TEST_F(OperationBuilderTest, ForgetsTheOperationBefore) {
  ASSERT_TRUE(build({.success = false, .operation_type = "upload", .error_code = "E", .user_id = "u"}));
  ASSERT_TRUE(build({.operation_type = "download"}));
  EXPECT_EQ(built_.error_code, "");
  EXPECT_EQ(built_.user_id, "");
  EXPECT_TRUE(built_.success);
}

}  // namespace
}  // namespace metricsd::ipc
