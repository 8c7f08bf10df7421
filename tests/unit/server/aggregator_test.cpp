#include "aggregator.h"

#include "checkpoint/replica.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/support/exposition_parser.h>
#include <metricsd/support/manual_clock.h>

#include <limits>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using Labels = support::ExpositionLabels;

class AggregatorTest : public ::testing::Test {
 protected:
  explicit AggregatorTest(std::size_t max_series = limits::kSeriesPerFamily)
      : catalog_(std::make_shared<Catalog>(max_series)), aggregator_({}, catalog_, clock_) {}

  support::ExpositionPage page() const {
    std::string text;
    exporters::render_prometheus_text(text, aggregator_.registry().image().snapshot(clock_.now()));
    return support::parse_exposition(text);
  }

  std::uint64_t rejected(Errc reason) const {
    const auto found = aggregator_.totals().rejected.find(reason);
    return found == aggregator_.totals().rejected.end() ? 0 : found->second;
  }

  void apply(const OperationMetric& operation) {
    aggregator_.begin_chunk(0);
    aggregator_.apply(sender_, operation, 0);
    aggregator_.end_chunk();
  }
  Result<> tell(const ipc::Message& message) { return aggregator_.apply(sender_, message); }

  static OperationMetric upload(double duration_ms = 100, std::uint64_t size = 1000) {
    OperationMetric operation;
    operation.operation_type = "upload";
    operation.workload_type = "s3";
    operation.driver = "boto";
    operation.duration_ns = static_cast<std::int64_t>(duration_ms * kNsPerMs);
    operation.object_size_bytes = size;
    return operation;
  }

  static OperationMetric failed_upload(std::string code = {}) {
    OperationMetric operation = upload();
    operation.success = false;
    operation.error_code = std::move(code);
    return operation;
  }

  void say_hello(std::vector<ipc::StreamPosition> streams = {{0, 1}}) {
    ipc::HelloMessage hello;
    hello.client_id = "00112233445566778899aabbccddeeff";
    hello.streams = std::move(streams);
    ASSERT_TRUE(aggregator_.greet(sender_, 1000, hello));
  }
  Result<> tell_batch(const ipc::Batch& batch) {
    aggregator_.begin_chunk(0);
    const auto applied = aggregator_.apply(sender_, batch);
    aggregator_.end_chunk();
    return applied;
  }

  // Rows of each entry in turn.
  static ipc::Batch batch(std::uint64_t first_seq, std::uint64_t count, std::vector<ipc::SharedFields> shared,
                          std::uint64_t shared_version = 1) {
    ipc::Batch made;
    made.first_seq = first_seq;
    made.count = count;
    made.shared = std::move(shared);
    made.shared_version = shared_version;
    for (std::uint64_t i = 0; i < count; ++i) {
      made.rows.push_back({.shared = static_cast<std::uint32_t>(i % made.shared.size()),
                           .duration_ns = kNsPerMs,
                           .object_size_bytes = 100,
                           .retry_count = 1});
    }
    return made;
  }
  static ipc::SharedFields shared(std::string type, bool success = true, std::string code = {}) {
    return {.operation_type = std::move(type),
            .workload_type = "s3",
            .driver = "boto",
            .success = success,
            .error_code = std::move(code)};
  }

  static ipc::UsersMessage users(std::uint64_t count, std::optional<std::string> scenario = {}) {
    ipc::UsersMessage message;
    message.count = count;
    message.scenario = std::move(scenario);
    return message;
  }

  static ipc::DefineMessage define(std::uint32_t id, std::string name, Kind kind, LabelNames labels = {}) {
    FamilySpec spec;
    spec.base_name = std::move(name);
    spec.help = "Test.";
    spec.kind = kind;
    spec.label_names = std::move(labels);
    if (kind == Kind::histogram) spec.bounds = {1, 2};
    return {.id = id, .spec = spec};
  }

  static ipc::SamplesMessage samples(std::uint32_t id, LabelValues labels, std::vector<double> values) {
    return {.samples = {{.id = id, .labels = std::move(labels), .values = std::move(values)}}, .refused = {}};
  }

  support::ManualClock clock_;
  std::shared_ptr<Catalog> catalog_;
  Aggregator aggregator_;
  Sender sender_{1};
};

TEST_F(AggregatorTest, FoldsOperationsAsTheContractSays) {
  apply(upload(100, 1000));
  apply(upload(200, 500));
  apply(failed_upload("SlowDown"));
  apply(failed_upload());
  OperationMetric retried = upload();
  retried.retry_count = 3;
  apply(retried);

  const auto scraped = page();
  const Labels workload{{"operation", "upload"}, {"workload", "s3"}, {"driver", "boto"}};
  const auto with = [&](const std::string& name, const std::string& value) {
    Labels labels = workload;
    labels[name] = value;
    return labels;
  };
  EXPECT_EQ(scraped.value("workload_operations_total", with("status", "success")), 3);
  EXPECT_EQ(scraped.value("workload_operations_total", with("status", "failure")), 2);
  EXPECT_EQ(scraped.value("workload_operation_duration_seconds_count", with("status", "success")), 3);
  EXPECT_NEAR(scraped.value("workload_operation_duration_seconds_sum", with("status", "success")).value(),
              0.4, 1e-9);
  EXPECT_EQ(scraped.value("workload_bytes_transferred_total", workload), 2500);  // successful ones only
  EXPECT_EQ(scraped.value("workload_operation_size_bytes_count", workload), 5);
  EXPECT_EQ(scraped.value("workload_operation_errors_total", with("error_code", "SlowDown")), 1);
  EXPECT_EQ(scraped.value("workload_operation_errors_total", with("error_code", "unknown")), 1);
  EXPECT_EQ(scraped.value("workload_operation_retries_total", workload), 3);
  EXPECT_EQ(aggregator_.totals().operations, 5U);
}

TEST_F(AggregatorTest, AValueOnABoundCountsInItsBucket) {
  apply(upload(100));
  const auto scraped = page();
  EXPECT_EQ(scraped.sum("workload_operation_duration_seconds_bucket", {{"le", "0.1"}}), 1);
  EXPECT_EQ(scraped.sum("workload_operation_duration_seconds_bucket", {{"le", "0.05"}}), 0);
}

TEST_F(AggregatorTest, CountsUnknownFieldsAndRefusals) {
  aggregator_.apply(sender_, upload(), 7);
  aggregator_.refuse(Errc::too_long);
  EXPECT_EQ(aggregator_.totals().unknown_fields, 7U);
  EXPECT_EQ(rejected(Errc::too_long), 1U);
}

TEST_F(AggregatorTest, UsersAreSummedAndGoWithTheirConnection) {
  Sender other{2};
  aggregator_.open();
  aggregator_.open();
  ASSERT_TRUE(tell(users(10)));
  ASSERT_TRUE(aggregator_.apply(other, users(5)));
  EXPECT_EQ(page().sum("workload_active_users"), 15);
  ASSERT_TRUE(tell(users(3)));  // absolute, not added
  EXPECT_EQ(page().sum("workload_active_users"), 8);
  aggregator_.close(other);
  EXPECT_EQ(page().sum("workload_active_users"), 3);
  EXPECT_EQ(aggregator_.totals().connections, 1U);
}

TEST_F(AggregatorTest, UsersTakeTheirLabelsFromTheRunAndMoveWithThem) {
  metricsd::Run run;
  run.test_run_id = "r1";
  run.workload_type = "s3";
  run.driver = "boto";
  run.scenario = "nightly";
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  ASSERT_TRUE(tell(users(4)));
  const Labels nightly{{"workload", "s3"}, {"driver", "boto"}, {"scenario", "nightly"}};
  EXPECT_EQ(page().value("workload_active_users", nightly), 4);

  ASSERT_TRUE(tell(users(6, "other")));
  EXPECT_EQ(page().value("workload_active_users", nightly), 0);
  EXPECT_EQ(page().sum("workload_active_users", {{"scenario", "other"}}), 6);
}

TEST_F(AggregatorTest, UsersLabelsAreBounded) {
  EXPECT_FALSE(tell(users(1, std::string(limits::kLabelValue + 1, 'x'))));
  EXPECT_EQ(rejected(Errc::too_long), 1U);
}

TEST_F(AggregatorTest, OperationsBelongToTheConnectionsRun) {
  metricsd::Run run;
  run.test_run_id = "r1";
  apply(upload());
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  apply(upload());
  apply(upload());
  ASSERT_TRUE(tell(ipc::RunEndMessage{"r1"}));
  apply(upload());
  EXPECT_EQ(aggregator_.live_runs().find("r1")->counts.total, 2U);
  EXPECT_EQ(aggregator_.live_runs().find("")->counts.total, 2U);
  EXPECT_FALSE(aggregator_.live_runs().find("r1")->is_live());
}

TEST_F(AggregatorTest, ARunIsLiveWhileAConnectionHasIt) {
  metricsd::Run run;
  run.test_run_id = "r1";
  Sender other{2};
  aggregator_.open();
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));  // told again: still one
  ASSERT_TRUE(aggregator_.apply(other, ipc::RunStartMessage{run}));
  EXPECT_EQ(aggregator_.live_runs().find("r1")->connections, 2U);
  ASSERT_TRUE(tell(ipc::RunEndMessage{"r1"}));
  aggregator_.close(other);
  EXPECT_FALSE(aggregator_.live_runs().find("r1")->is_live());
}

TEST_F(AggregatorTest, ASeventeenthRunCostsTheOthersNothing) {
  std::vector<Sender> senders;
  for (std::size_t i = 0; i <= limits::kLiveRuns; ++i) {
    senders.emplace_back(i);
    metricsd::Run run;
    run.test_run_id = "r" + std::to_string(i);
    aggregator_.open();
    ASSERT_TRUE(aggregator_.apply(senders.back(), ipc::RunStartMessage{run}));
  }
  for (int round = 0; round < 3; ++round) {
    for (const Sender& sender : senders) aggregator_.apply(sender, upload(), 0);
    aggregator_.end_chunk();
    apply(upload());  // a plain sender's
  }
  const LiveRuns& runs = aggregator_.live_runs();
  for (std::size_t i = 0; i < limits::kLiveRuns; ++i) {
    const LiveRun* run = runs.find("r" + std::to_string(i));
    ASSERT_NE(run, nullptr);
    EXPECT_TRUE(run->is_live());
    EXPECT_EQ(run->counts.total, 3U);
  }
  EXPECT_EQ(runs.find("")->counts.total, 3U);
  EXPECT_EQ(runs.find("__overflow__")->counts.total, 3U);
  for (Sender& sender : senders) aggregator_.close(sender);
  for (const auto& [id, run] : runs.runs()) EXPECT_FALSE(run.is_live()) << id;
}

TEST_F(AggregatorTest, ARunsTextsAreNotKept) {
  metricsd::Run run;
  run.test_run_id = "r1";
  run.test_name = "nightly";
  run.test_config = run.environment = run.client_info = run.tags = std::string(10'000, 'x');
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  for (const metricsd::Run& kept : {sender_.run, aggregator_.live_runs().find("r1")->run}) {
    EXPECT_EQ(kept.test_name, "nightly");
    EXPECT_EQ(kept.test_config + kept.environment + kept.client_info + kept.tags, "");
  }
}

TEST_F(AggregatorTest, EndingARunThatWasNotStartedIsRefused) {
  EXPECT_EQ(tell(ipc::RunEndMessage{"r9"}).error(), Errc::run_not_found);
  EXPECT_EQ(rejected(Errc::run_not_found), 1U);
}

TEST_F(AggregatorTest, DefinedFamiliesTakeSamples) {
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter, {"queue"})));
  ASSERT_TRUE(tell(define(2, "depth", Kind::gauge)));
  ASSERT_TRUE(tell(define(3, "wait", Kind::histogram)));
  ASSERT_TRUE(tell(samples(1, {"a"}, {2.5})));
  ASSERT_TRUE(tell(samples(1, {"a"}, {1})));
  ASSERT_TRUE(tell(samples(2, {}, {-7})));
  ASSERT_TRUE(tell(samples(3, {}, {0.5, 1, 5})));
  const auto scraped = page();
  EXPECT_EQ(scraped.value("jobs_total", {{"queue", "a"}}), 3.5);
  EXPECT_EQ(scraped.value("depth"), -7);
  EXPECT_EQ(scraped.value("wait_count"), 3);
  EXPECT_EQ(scraped.value("wait_bucket", {{"le", "1"}}), 2);
}

TEST_F(AggregatorTest, AGaugeDiesWithItsConnection) {
  aggregator_.open();
  ASSERT_TRUE(tell(define(1, "depth", Kind::gauge)));
  ASSERT_TRUE(tell(samples(1, {}, {5})));
  EXPECT_EQ(page().value("depth"), 5);
  aggregator_.close(sender_);
  EXPECT_NE(page().value("depth"), 5);
}

TEST_F(AggregatorTest, OnlyTheGaugesOfTheConnectionThatGoesGo) {
  Sender other{2};
  ASSERT_TRUE(tell(define(1, "depth", Kind::gauge, {"queue"})));
  ASSERT_TRUE(aggregator_.apply(other, define(1, "depth", Kind::gauge, {"queue"})));
  ASSERT_TRUE(tell(samples(1, {"a"}, {5})));
  ASSERT_TRUE(tell(samples(1, {"b"}, {6})));
  ASSERT_TRUE(aggregator_.apply(other, samples(1, {"b"}, {7})));
  aggregator_.open();
  aggregator_.close(sender_);
  EXPECT_EQ(page().value("depth", {{"queue", "a"}}).value_or(0), 0);
  EXPECT_EQ(page().value("depth", {{"queue", "b"}}), 7);
}

TEST_F(AggregatorTest, BadSamplesAreRefusedOneByOne) {
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter, {"queue"})));
  ASSERT_TRUE(tell(define(2, "wait", Kind::histogram)));
  ipc::SamplesMessage message;
  message.samples = {{.id = 1, .labels = {"a"}, .values = {1}},
                     {.id = 1, .labels = {"a"}, .values = {-1}},
                     {.id = 1, .labels = {"a"}, .values = {std::numeric_limits<double>::infinity()}},
                     {.id = 1, .labels = {"a"}, .values = {}},
                     {.id = 1, .labels = {}, .values = {1}},
                     {.id = 1, .labels = {"a", "b"}, .values = {1}},
                     {.id = 1, .labels = {std::string(limits::kLabelValue + 1, 'x')}, .values = {1}},
                     {.id = 2, .labels = {}, .values = {1, -1}},
                     {.id = 9, .labels = {}, .values = {1}},
                     {.id = 1, .labels = {"a"}, .values = {1}}};
  message.refused = {{.row = 10, .reason = Errc::wrong_type}};
  EXPECT_FALSE(tell(message));
  EXPECT_EQ(page().value("jobs_total", {{"queue", "a"}}), 2);
  EXPECT_EQ(rejected(Errc::out_of_range), 3U);
  EXPECT_EQ(rejected(Errc::wrong_type), 2U);
  EXPECT_EQ(rejected(Errc::label_mismatch), 2U);
  EXPECT_EQ(rejected(Errc::too_long), 1U);
  EXPECT_EQ(rejected(Errc::undefined_metric), 1U);
}

TEST_F(AggregatorTest, AnAbsurdDeltaDoesNotSpoilACounter) {
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter, {"queue"})));
  ASSERT_TRUE(tell(samples(1, {"a"}, {1})));
  EXPECT_EQ(tell(samples(1, {"a"}, {1e308})).error(), Errc::out_of_range);
  const auto most = static_cast<double>(limits::kWhole);
  EXPECT_EQ(tell(samples(1, {"a"}, {most + 2})).error(), Errc::out_of_range);
  ASSERT_TRUE(tell(samples(1, {"a"}, {2})));
  ASSERT_TRUE(tell(samples(1, {"b"}, {most})));
  EXPECT_EQ(page().value("jobs_total", {{"queue", "a"}}), 3);
  EXPECT_EQ(page().value("jobs_total", {{"queue", "b"}}), most);
  EXPECT_EQ(rejected(Errc::out_of_range), 2U);
}

TEST_F(AggregatorTest, OwnNamesAreNotForPeers) {
  EXPECT_EQ(tell(define(1, "metricsd_anything", Kind::counter)).error(), Errc::conflicting_definition);
  EXPECT_EQ(tell(define(2, "process_cpu", Kind::gauge)).error(), Errc::conflicting_definition);
  EXPECT_EQ(tell(define(3, "workload_run_info", Kind::gauge)).error(), Errc::conflicting_definition);
  EXPECT_EQ(tell(define(4, "workload_active_users", Kind::gauge)).error(), Errc::conflicting_definition);
  // Exactly as the daemon has it, and still not theirs; nor under a split of the name of their own.
  ipc::DefineMessage same{.id = 5, .spec = operation_family_specs({}).front()};
  EXPECT_EQ(tell(same).error(), Errc::conflicting_definition);
  ipc::DefineMessage split = define(6, "metricsd", Kind::gauge);
  split.spec.unit = "series";
  EXPECT_EQ(tell(split).error(), Errc::conflicting_definition);
  EXPECT_EQ(tell(define(7, "workload_operation_duration_seconds_bucket", Kind::gauge)).error(),
            Errc::conflicting_definition);
  EXPECT_EQ(rejected(Errc::conflicting_definition), 7U);
}

TEST_F(AggregatorTest, AnIdMeansOneFamily) {
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter)));
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter)));
  EXPECT_EQ(tell(define(1, "tasks", Kind::counter)).error(), Errc::conflicting_definition);
  EXPECT_EQ(tell(define(2, "jobs", Kind::gauge)).error(), Errc::conflicting_definition);
}

TEST_F(AggregatorTest, ShardsShareOneMeaningOfAName) {
  Aggregator second({}, catalog_, clock_);
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter)));
  Sender there{2};
  EXPECT_EQ(second.apply(there, define(1, "jobs", Kind::gauge)).error(), Errc::conflicting_definition);
  EXPECT_TRUE(second.apply(there, define(1, "jobs", Kind::counter)));
}

TEST_F(AggregatorTest, DefinitionsOfAConnectionAreBounded) {
  for (std::uint32_t id = 0; id < limits::kDefinesPerConnection; ++id) {
    ASSERT_TRUE(tell(define(id, "jobs", Kind::counter)));
  }
  EXPECT_EQ(tell(define(limits::kDefinesPerConnection, "jobs", Kind::counter)).error(), Errc::limit_reached);
  EXPECT_TRUE(tell(define(0, "jobs", Kind::counter)));
}

TEST_F(AggregatorTest, HeartbeatsAreCumulative) {
  ASSERT_TRUE(tell(ipc::HeartbeatMessage{{{"socket", {{"full", 3}}}}}));
  ASSERT_TRUE(tell(ipc::HeartbeatMessage{{{"socket", {{"full", 3}}}}}));
  ASSERT_TRUE(tell(ipc::HeartbeatMessage{{{"socket", {{"full", 10}, {"gone", 1}}}}}));
  ASSERT_TRUE(tell(ipc::HeartbeatMessage{{{"socket", {{"full", 2}}}}}));  // a total never falls
  EXPECT_EQ(aggregator_.totals().dropped.at("socket").at("full"), 10U);
  EXPECT_EQ(aggregator_.totals().dropped.at("socket").at("gone"), 1U);

  Sender other{2};
  ASSERT_TRUE(aggregator_.apply(other, ipc::HeartbeatMessage{{{"socket", {{"full", 5}}}}}));
  EXPECT_EQ(aggregator_.totals().dropped.at("socket").at("full"), 15U);
}

TEST_F(AggregatorTest, HeartbeatsCauseBoundedState) {
  for (std::size_t i = 0; i < limits::kDropCauses; ++i) {
    ASSERT_TRUE(tell(ipc::HeartbeatMessage{{{"sink", {{std::to_string(i), 1}}}}}));
  }
  EXPECT_EQ(tell(ipc::HeartbeatMessage{{{"sink", {{"more", 1}}}}}).error(), Errc::limit_reached);
  EXPECT_EQ(rejected(Errc::limit_reached), 1U);
}

TEST_F(AggregatorTest, UnknownTypesAreCounted) {
  EXPECT_EQ(tell(ipc::UnknownMessage{"hello"}).error(), Errc::unknown_type);
  EXPECT_EQ(rejected(Errc::unknown_type), 1U);
}

// Set back an hour in the midst of it, then two years ahead: nothing that is counted follows it.
TEST_F(AggregatorTest, TheWallClockMayBeSet) {
  constexpr std::int64_t kHour = 3600 * kNsPerSecond;
  const Timestamp start = clock_.now();
  metricsd::Run run;
  run.test_run_id = "r";
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  apply(upload());
  clock_.advance(kNsPerSecond);
  clock_.set_wall({start.ns - kHour});
  apply(upload());
  EXPECT_EQ(page().sum("workload_operations_total"), 2);
  clock_.advance(kNsPerSecond);
  clock_.set_wall({start.ns + 2 * 365 * 24 * kHour});
  apply(upload());
  const std::int64_t before_ns = clock_.monotonic_ns() - kNsPerSecond;
  aggregator_.forget(aggregator_.registry().image().take_idle(before_ns), before_ns);
  EXPECT_EQ(page().sum("workload_operations_total"), 3);
  const RunSummary summary =
      aggregator_.live_runs().find("r")->summary({clock_.now(), clock_.monotonic_ns()});
  EXPECT_EQ(summary.duration_seconds, 2);
  EXPECT_EQ(summary.overall.operations.total, 3U);
}

TEST_F(AggregatorTest, ABatchCountsAsItsOperationsWould) {
  say_hello();
  ASSERT_TRUE(tell_batch(batch(1, 4, {shared("upload"), shared("upload", false, "SlowDown")})));
  ASSERT_TRUE(tell_batch(batch(5, 3, {shared("upload"), shared("upload", false, "SlowDown")})));
  ASSERT_TRUE(
      tell_batch(batch(8, 2, {shared("list", true, "a code that does not count"), shared("upload")}, 2)));
  const auto scraped = page();
  EXPECT_EQ(scraped.sum("workload_operations_total", {{"operation", "upload"}, {"status", "success"}}), 5);
  EXPECT_EQ(scraped.sum("workload_operation_errors_total", {{"error_code", "SlowDown"}}), 3);
  EXPECT_EQ(scraped.sum("workload_operation_errors_total"), 3);
  EXPECT_EQ(scraped.sum("workload_operations_total", {{"operation", "list"}}), 1);
  EXPECT_EQ(scraped.sum("workload_operation_retries_total"), 9);
  EXPECT_EQ(scraped.sum("workload_bytes_transferred_total"), 600);
  EXPECT_EQ(aggregator_.totals().operations, 9U);
  EXPECT_EQ(aggregator_.totals().acknowledged, 9U);
  EXPECT_EQ(aggregator_.live_runs().find("")->counts.total, 9U);
}

TEST_F(AggregatorTest, TheSameDictionaryInAnotherRunCountsThere) {
  say_hello();
  metricsd::Run run;
  run.test_run_id = "r1";
  ASSERT_TRUE(tell_batch(batch(1, 1, {shared("upload")})));
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  ASSERT_TRUE(tell_batch(batch(2, 2, {shared("upload")})));
  ASSERT_TRUE(tell(ipc::RunEndMessage{"r1"}));
  ASSERT_TRUE(tell_batch(batch(4, 4, {shared("upload")})));
  EXPECT_EQ(aggregator_.live_runs().find("r1")->counts.total, 2U);
  EXPECT_EQ(aggregator_.live_runs().find("")->counts.total, 5U);
}

TEST_F(AggregatorTest, ARefusedBatchCountsWhatIsNewOfIt) {
  say_hello();
  ASSERT_TRUE(tell_batch(batch(1, 10, {shared("upload")})));
  ipc::Batch lie = batch(6, 10, {shared("upload")});
  lie.rows.clear();
  lie.refusal = ipc::Refusal{Errc::inconsistent_batch, "rows"};
  EXPECT_EQ(tell_batch(lie).error(), Errc::inconsistent_batch);
  EXPECT_EQ(rejected(Errc::inconsistent_batch), 5U);
  const RecordCounts& records = sender_.client->records;
  EXPECT_EQ(records.emitted, 15U);
  EXPECT_EQ(records.folded, 10U);
  EXPECT_EQ(records.rejected, 5U);
}

TEST_F(AggregatorTest, HolesAreDroppedFromTheRunToo) {
  say_hello();
  metricsd::Run run;
  run.test_run_id = "r1";
  ASSERT_TRUE(tell(ipc::RunStartMessage{run}));
  ASSERT_TRUE(tell_batch(batch(11, 1, {shared("upload")})));
  EXPECT_EQ(aggregator_.totals().dropped.at("socket").at("gap"), 10U);
  EXPECT_EQ(aggregator_.live_runs().find("r1")->dropped.at("socket").at("gap"), 10U);
}

TEST_F(AggregatorTest, AStreamWithoutRoomIsRefusedAndAcknowledged) {
  std::vector<ipc::StreamPosition> streams;
  for (std::uint32_t stream = 0; stream < limits::kStreams; ++stream) streams.push_back({stream, 2});
  for (std::size_t taken = 0; taken < limits::kClientStreams / 2; taken += streams.size()) {
    ipc::HelloMessage hello;
    hello.client_id = std::to_string(taken);
    hello.streams = streams;
    Sender other{100 + taken};
    ASSERT_TRUE(aggregator_.greet(other, 1000, hello));
  }
  say_hello();
  EXPECT_EQ(tell_batch(batch(1, 10, {shared("upload")})).error(), Errc::limit_reached);
  EXPECT_EQ(rejected(Errc::limit_reached), 10U);
  EXPECT_EQ(sender_.client->records.emitted, 10U);
  EXPECT_EQ(sender_.client->records.rejected, 10U);
  const auto progress = Clients::take_progress(*sender_.client);
  ASSERT_EQ(progress.size(), 1U);
  EXPECT_EQ(progress[0].durable, 10U);
}

TEST_F(AggregatorTest, SamplesInAStreamCountOnce) {
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter)));
  ipc::SamplesMessage message = samples(1, {}, {5});
  message.samples.push_back(message.samples.front());
  message.refused = {{.row = 2, .reason = Errc::wrong_type}};
  message.position = ipc::StreamPosition{0, 1};
  EXPECT_EQ(tell(message).error(), Errc::unexpected_message);  // who has no client has no streams
  EXPECT_EQ(rejected(Errc::unexpected_message), 3U);
  say_hello();
  EXPECT_EQ(tell(message).error(), Errc::wrong_type);
  EXPECT_TRUE(tell(message));  // again
  EXPECT_EQ(page().value("jobs_total", {}), 10);
  EXPECT_EQ(rejected(Errc::wrong_type), 1U);
  EXPECT_EQ(sender_.client->records.emitted, 3U);
  EXPECT_EQ(sender_.client->records.folded, 2U);
  EXPECT_EQ(sender_.client->records.rejected, 1U);
}

TEST_F(AggregatorTest, OfSamplesThatArePartlyKnownTheRestIsNew) {
  ASSERT_TRUE(tell(define(1, "jobs", Kind::counter)));
  say_hello();
  ipc::SamplesMessage message = samples(1, {}, {5});
  message.refused = {{.row = 0, .reason = Errc::wrong_type}};
  message.position = ipc::StreamPosition{0, 1};
  EXPECT_FALSE(tell(message));
  message.samples.push_back({.id = 1, .labels = {}, .values = {100}});
  EXPECT_TRUE(tell(message));
  EXPECT_EQ(page().value("jobs_total", {}), 105);
  EXPECT_EQ(rejected(Errc::wrong_type), 1U);
  EXPECT_EQ(sender_.client->records.emitted, 3U);
}

TEST_F(AggregatorTest, ExpiryLetsSilentSeriesGo) {
  apply(upload());
  clock_.advance(10 * kNsPerSecond);
  OperationMetric other = upload();
  other.operation_type = "download";
  apply(other);
  aggregator_.forget(aggregator_.registry().image().take_idle(5 * kNsPerSecond), 5 * kNsPerSecond);
  EXPECT_EQ(page().sum("workload_operations_total", {{"operation", "upload"}}), 0);
  EXPECT_EQ(page().sum("workload_operations_total", {{"operation", "download"}}), 1);
}

TEST_F(AggregatorTest, AddsHistogramsThatWereCountedElsewhere) {
  ASSERT_TRUE(tell(define(1, "wait", Kind::histogram, {})));
  ExponentialHistogram counted;
  for (const double value : {0.5, 1.0, 5.0}) counted.apply(value);
  ipc::SamplesMessage message;
  message.samples.push_back(
      {.id = 1, .labels = {}, .values = {}, .delta = HistogramDelta{6.5, {2, 0, 1}, counted}});
  ASSERT_TRUE(tell(message));
  ASSERT_TRUE(tell(samples(1, {}, {1.5})));
  ASSERT_TRUE(tell(message));
  EXPECT_EQ(page().value("wait_bucket", {{"le", "1"}}), 4);
  EXPECT_EQ(page().value("wait_bucket", {{"le", "2"}}), 5);
  EXPECT_EQ(page().value("wait_count"), 7);
  EXPECT_EQ(page().value("wait_sum"), 14.5);
}

TEST_F(AggregatorTest, RefusesHistogramsOfOtherBounds) {
  ASSERT_TRUE(tell(define(1, "wait", Kind::histogram, {})));
  ASSERT_TRUE(tell(define(2, "depth", Kind::gauge, {})));
  ExponentialHistogram counted;
  counted.apply(1);
  for (const std::uint32_t id : {1U, 2U}) {
    ipc::SamplesMessage message;
    message.samples.push_back(
        {.id = id, .labels = {}, .values = {}, .delta = HistogramDelta{1, {1, 0}, counted}});
    EXPECT_FALSE(tell(message)) << id;
  }
  EXPECT_EQ(rejected(Errc::out_of_range), 1U);
  EXPECT_EQ(rejected(Errc::wrong_type), 1U);
  EXPECT_FALSE(page().value("wait_count"));
}

// One for all shards: the samples of one are in the cuts of another.
TEST(AggregatorsOfOneDaemon, ShareTheHistoryOfTasks) {
  const support::ManualClock clock;
  const auto catalog = std::make_shared<Catalog>(10);
  const auto history = std::make_shared<TaskHistory>(TaskHistory::Bounds{.tasks = 1});
  Aggregator first({}, catalog, clock, {}, Durability::of_checkpoints, {.history = history});
  Aggregator second({}, catalog, clock, {}, Durability::of_checkpoints,
                    {.history = history, .is_saved_here = false});
  const auto cut_of = [](Aggregator& aggregator, Extent extent) {
    std::string cut;
    aggregator.cut(cut, extent);
    return cut;
  };
  Replica shown(catalog);
  ASSERT_TRUE(shown.load(cut_of(first, Extent::whole), {}));
  ASSERT_EQ(cut_of(first, Extent::changed), "");

  Sender sender(1);
  ASSERT_TRUE(second.apply(sender, ipc::TaskSampleMessage{.task_id = "t", .metrics = "{}"}));
  EXPECT_EQ(second.apply(sender, ipc::TaskSampleMessage{.task_id = "u", .metrics = "{}"}).error(),
            Errc::limit_reached);
  EXPECT_EQ(second.totals().task_samples, 1U);
  EXPECT_EQ(second.totals().rejected.at(Errc::limit_reached), 1U);
  ASSERT_TRUE(shown.load(cut_of(first, Extent::changed), {}));
  EXPECT_EQ(shown.tasks().page("t", "", 0, 10)->total, 1U);
  EXPECT_EQ(cut_of(first, Extent::changed), "");

  Replica of_second(catalog);
  ASSERT_TRUE(of_second.load(cut_of(second, Extent::whole), {}));
  EXPECT_EQ(of_second.tasks().size().tasks, 0U);

  EXPECT_EQ(history->told_of_since(1).size(), 1U);
  second.close(sender);
  EXPECT_EQ(history->told_of_since(1).size(), 0U);
}

class SmallAggregatorTest : public AggregatorTest {
 protected:
  SmallAggregatorTest() : AggregatorTest(10) {}
};

TEST_F(SmallAggregatorTest, UsersThatOverflowedGoWithTheirConnectionToo) {
  Sender other{2};
  aggregator_.open();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(aggregator_.apply(other, users(1, "scenario-" + std::to_string(i))));
  }
  ASSERT_TRUE(tell(users(5, "late")));
  EXPECT_EQ(page().sum("workload_active_users", {{"scenario", "__overflow__"}}), 5);
  const std::uint64_t refused = catalog_->overflows().at(0).refused;
  aggregator_.close(sender_);
  EXPECT_EQ(page().sum("workload_active_users"), 1);
  EXPECT_EQ(catalog_->overflows().at(0).refused, refused);  // forgetting is no observation
}

TEST_F(SmallAggregatorTest, UsersThatOverflowedAreNotCountedTwiceOnceThereIsRoom) {
  Sender other{2};
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(aggregator_.apply(other, users(1, "scenario-" + std::to_string(i))));
  }
  ASSERT_TRUE(tell(users(5, "late")));
  clock_.advance(10 * kNsPerSecond);
  aggregator_.forget(aggregator_.registry().image().take_idle(5 * kNsPerSecond), 5 * kNsPerSecond);
  ASSERT_TRUE(tell(users(5, "late")));
  EXPECT_EQ(page().sum("workload_active_users", {{"scenario", "late"}}), 5);
  EXPECT_EQ(page().sum("workload_active_users"), 6);
}

TEST_F(SmallAggregatorTest, TooManySeriesFoldIntoOneThatKeepsItsStatus) {
  for (int i = 0; i < 100; ++i) {
    OperationMetric operation = i % 2 == 0 ? upload() : failed_upload();
    operation.driver = "driver-" + std::to_string(i);
    apply(operation);
  }
  const auto scraped = page();
  EXPECT_EQ(scraped.sum("workload_operations_total"), 100);  // folded, not lost
  const Labels folded{
      {"operation", "__overflow__"}, {"workload", "__overflow__"}, {"driver", "__overflow__"}};
  Labels successes = folded;
  successes["status"] = "success";
  EXPECT_EQ(scraped.value("workload_operations_total", successes), 45);

  bool named = false;
  for (const OverflowReport& report : catalog_->overflows()) {
    if (report.family != "workload_operations_total") continue;
    named = report.exploded_label == "driver" && report.refused == 90;
  }
  EXPECT_TRUE(named);
}

// Who is only looking leaves nothing to be saved.
TEST_F(AggregatorTest, AStatusRequestIsNoChange) {
  const auto cut = [this] {
    std::string bytes;
    aggregator_.cut(bytes, Extent::changed);
    return bytes;
  };
  EXPECT_NE(cut(), "");
  aggregator_.open();
  aggregator_.begin_chunk(18);
  ASSERT_TRUE(tell(ipc::StatusRequest{}));
  aggregator_.end_chunk();
  EXPECT_FALSE(aggregator_.has_changed());
  Sender other(2);
  aggregator_.close(other);
  EXPECT_EQ(cut(), "");
  apply(upload());
  EXPECT_TRUE(aggregator_.has_changed());
  EXPECT_NE(cut(), "");
  aggregator_.refuse(Errc::too_long);
  EXPECT_NE(cut(), "");
}

}  // namespace
}  // namespace metricsd::server
