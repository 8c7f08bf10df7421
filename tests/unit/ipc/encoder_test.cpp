#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/encoder.h>

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

template <class M>
std::string encoded(const M& message) {
  std::string out;
  encode(out, message);
  return out;
}

// What a decoder makes of exactly one line.
template <class M>
M decoded(const std::string& line) {
  EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
  EXPECT_TRUE(line.ends_with('\n')) << line;
  Decoder decoder;
  decoder.feed(line);
  const auto step = decoder.next();
  if constexpr (std::is_same_v<M, OperationMetric>) {
    EXPECT_EQ(step, Decoder::Step::operation) << line << decoder.refusal().detail;
    return decoder.operation().with_texts<std::string>();
  } else {
    EXPECT_EQ(step, Decoder::Step::message)
        << line << reason(decoder.refusal().reason) << decoder.refusal().detail;
    const M* message = std::get_if<M>(&decoder.message());
    EXPECT_NE(message, nullptr) << line;
    return message == nullptr ? M{} : *message;
  }
}

// `line` is the encoder's own form: what it means is written back as it stands.
template <class M>
void expect_round_trip(const std::string& line) {
  EXPECT_EQ(encoded(decoded<M>(line + "\n")), line + "\n");
}

TEST(Encoder, RoundTripsOperations) {
  const std::string line =
      R"({"operation_id":"o-1","timestamp_start":"2026-01-31T23:59:59.123456Z","timestamp_end":"2026-01-31T23:59:59.235956Z",)"
      R"("operation_type":"upload","workload_type":"s3","object_key":"a\"\\\n\u0001ä","object_size_bytes":1048576,)"
      R"("duration_ms":112.5,"throughput_mbps":8.88,"success":false,"error_code":"SlowDown","error_message":"wait",)"
      R"("retry_count":2,"driver":"boto","user_id":"u","metadata":{"a":[1,null]},)"
      R"("intended_start":"2026-01-31T23:59:59.000000Z"})";
  OperationMetric operation = decoded<OperationMetric>(line + "\n");
  EXPECT_EQ(operation.throughput_mbps, std::nullopt);  // a decoder leaves it out
  operation.throughput_mbps = 8.88;
  EXPECT_EQ(encoded(operation), line + "\n");
}

TEST(Encoder, RoundTripsUsers) {
  expect_round_trip<UsersMessage>(R"({"type":"users","count":9007199254740992})");
  expect_round_trip<UsersMessage>(
      R"({"type":"users","count":0,"workload_type":"s3","driver":"d \"q\"","scenario":""})");
}

TEST(Encoder, RoundTripsRuns) {
  metricsd::Run run;
  run.test_run_id = "0123456789abcdef";
  run.test_name = "night \"load\" \n \xC3\xA4";
  run.start_time = Timestamp{1'767'225'600 * kNsPerSecond + 123'456'000};
  run.scenario = "mixed";
  run.workload_type = "s3";
  run.driver = "boto";
  run.num_users = 64;
  run.spawn_rate = 2.5;
  run.test_config = R"({"size":[1,2]})";
  run.tags = R"({"team":"storage"})";
  const metricsd::Run read = decoded<RunStartMessage>(encoded(RunStartMessage{run})).run;
  EXPECT_EQ(read.test_run_id, run.test_run_id);
  EXPECT_EQ(read.test_name, run.test_name);
  EXPECT_EQ(read.start_time, run.start_time);
  EXPECT_EQ(read.end_time, std::nullopt);
  EXPECT_EQ(read.scenario, run.scenario);
  EXPECT_EQ(read.workload_type, run.workload_type);
  EXPECT_EQ(read.driver, run.driver);
  EXPECT_EQ(read.num_users, run.num_users);
  EXPECT_EQ(read.spawn_rate, run.spawn_rate);
  EXPECT_EQ(read.test_config, run.test_config);
  EXPECT_EQ(read.environment, "");
  EXPECT_EQ(read.tags, run.tags);
  EXPECT_EQ(encoded(RunStartMessage{read}), encoded(RunStartMessage{run}));
}

TEST(Encoder, RoundTripsTheEndOfARunAndTheStatusRequest) {
  expect_round_trip<RunEndMessage>(R"({"type":"run_end","test_run_id":"r-1"})");
  expect_round_trip<StatusRequest>(R"({"type":"status"})");
}

TEST(Encoder, RoundTripsDefinitions) {
  expect_round_trip<DefineMessage>(
      R"({"type":"define","id":4294967295,"name":"hits_total","kind":"counter","help":"All\nhits.","labels":["tier","node"]})");
  expect_round_trip<DefineMessage>(
      R"({"type":"define","id":0,"name":"queue_bytes","kind":"gauge","unit":"bytes","labels":[],"merge":"last"})");
  expect_round_trip<DefineMessage>(
      R"({"type":"define","id":1,"name":"wait_seconds","kind":"histogram","unit":"seconds","labels":["disk"],"bounds":[0.001,1,1e+22]})");
  expect_round_trip<DefineMessage>(
      R"({"type":"define","id":1,"name":"wait","kind":"histogram","labels":[],"bounds":[]})");
}

// A base name may itself end like a suffix: the encoder must not let the reader take that off as well.
TEST(Encoder, KeepsBaseNamesThatEndLikeSuffixes) {
  for (const std::string name : {"a_total", "a_seconds", "a_seconds_total", "total"}) {
    for (const Kind kind : {Kind::counter, Kind::gauge, Kind::histogram}) {
      for (const std::string unit : {"", "seconds"}) {
        DefineMessage message;
        message.spec.base_name = name;
        message.spec.kind = kind;
        message.spec.unit = unit;
        EXPECT_EQ(decoded<DefineMessage>(encoded(message)).spec, message.spec) << encoded(message);
      }
    }
  }
}

TEST(Encoder, RoundTripsSamples) {
  expect_round_trip<SamplesMessage>(R"({"type":"samples","rows":[]})");
  expect_round_trip<SamplesMessage>(
      R"({"type":"samples","rows":[[1,["a","\"\\ä"],0.1],[4294967295,[],[1,2.5,-3]],[0,[""],1e+300]]})");
}

TEST(Encoder, RoundTripsHistogramsThatWereCountedElsewhere) {
  expect_round_trip<SamplesMessage>(
      R"({"type":"samples","rows":[[3,["a"],{"sum":0.75,"buckets":[1,0,3],"scale":4,"zero":1,"indices":[-33,-32],"counts":[2,1]}]]})");
  expect_round_trip<SamplesMessage>(
      R"({"type":"samples","rows":[[3,[],{"sum":0,"buckets":[0],"scale":-10,"zero":0,"indices":[],"counts":[]}]]})");
}

TEST(Encoder, RoundTripsSamplesWithTheirPlaceInAStream) {
  expect_round_trip<SamplesMessage>(
      R"({"type":"samples","stream":4095,"first_seq":9007199254740991,"rows":[[1,[],0.1]]})");
}

// The golden lines of protocol 1: they stay as they are.
TEST(Encoder, RoundTripsTheAcknowledgedProtocol) {
  expect_round_trip<HelloMessage>(
      R"({"type":"hello","protocol":1,"client_id":"00112233445566778899aabbccddeeff","pid":4711,)"
      R"("streams":[{"stream":0,"first_seq":1},{"stream":3,"first_seq":77}]})");
  expect_round_trip<WelcomeMessage>(
      R"({"type":"welcome","protocol":1,"store_id":"ffeeddccbbaa99887766554433221100",)"
      R"("streams":[{"stream":0,"folded":0,"durable":0},{"stream":3,"folded":80,"durable":76}]})");
  expect_round_trip<WelcomeMessage>(
      R"({"type":"welcome","protocol":1,"store_id":"ffeeddccbbaa99887766554433221100","known":false,)"
      R"("streams":[]})");
  expect_round_trip<WelcomeMessage>(
      R"({"type":"welcome","protocol":1,"store_id":"ffeeddccbbaa99887766554433221100","known":false,)"
      R"("forgotten":true,"streams":[]})");
  expect_round_trip<AckMessage>(
      R"({"type":"ack","streams":[{"stream":0,"folded":9007199254740992,"durable":1}]})");
  expect_round_trip<FlushMessage>(R"({"type":"flush"})");
  expect_round_trip<ByeMessage>(R"({"type":"bye"})");
  expect_round_trip<AdoptMessage>(R"({"type":"adopt"})");
  expect_round_trip<AdoptedMessage>(
      R"({"type":"adopted","client_id":"abc","records":12,"file_lines":3,"whole":true})");
  expect_round_trip<AdoptedMessage>(
      R"({"type":"adopted","client_id":"","records":0,"file_lines":0,"whole":false,"error":"its process lives"})");
}

TEST(Encoder, RoundTripsHeartbeats) {
  expect_round_trip<HeartbeatMessage>(
      R"({"type":"heartbeat","dropped":{},"total":{"ring":{"full":3},"socket":{"no_daemon":120}}})");
  expect_round_trip<HeartbeatMessage>(R"({"type":"heartbeat","dropped":{}})");
  expect_round_trip<HeartbeatMessage>(
      R"({"type":"heartbeat","dropped":{"jsonl":{"disk_full":1},"socket":{"no_daemon":2,"ring_full":9007199254740992}}})");
}

// Golden lines, too.
TEST(Encoder, RoundTripsSamplesOfTasks) {
  expect_round_trip<TaskSampleMessage>(
      R"({"type":"task_sample","task_id":"build_1763650000","node":"host","role":"","pid":4711,"history_size":100,)"
      R"("interval":10,"metrics":{"cpu_usage_percent":null,"memory_usage_bytes":1048576},)"
      R"("aggregated":{"avg_cpu_usage":12.5,"sample_count":3}})");
  expect_round_trip<TaskSampleMessage>(
      R"({"type":"task_sample","task_id":"t \"1\"","node":"","role":"ä","pid":0,"history_size":0,"interval":0.25,)"
      R"("metrics":{}})");
  expect_round_trip<TaskSampleMessage>(
      R"({"type":"task_sample","task_id":"t","node":"","role":"","pid":0,"history_size":1,"interval":0,)"
      R"("metrics":{},"sender_id":"00112233445566778899aabbccddeeff","number":9007199254740992})");
}

// What is kept as text must be one text, however often it is passed on.
TEST(Encoder, WritesObjectsAsTheyWillBeRead) {
  const std::string line =
      R"({"type":"task_sample","task_id":"t","interval":-0.0,"metrics":{"a":-0.0,"b":-0,"c":1e2,"d":1.50,"e":"\u0041\u0000"}})"
      "\n";
  const std::string once = encoded(decoded<TaskSampleMessage>(line));
  EXPECT_EQ(once, encoded(decoded<TaskSampleMessage>(once)));
  EXPECT_NE(once.find(R"({"a":0,"b":0,"c":100,"d":1.5,"e":"A\u0000"})"), std::string::npos) << once;
}

TEST(Encoder, AppendsToWhatIsThere) {
  std::string out = "before\n";
  encode(out, StatusRequest{});
  encode(out, StatusRequest{});
  EXPECT_EQ(out, "before\n{\"type\":\"status\"}\n{\"type\":\"status\"}\n");
}

}  // namespace
}  // namespace metricsd::ipc
