#include "message_json.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>

#include <string>
#include <string_view>
#include <variant>

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

boost::system::result<Message, Refusal> read_message(std::string_view line) {
  const auto document = parse_json(line);
  if (!document) return Refusal{json_errc(document.error()), ""};
  if (!document->is_object()) return Refusal{Errc::not_an_object, ""};
  return ipc::read_message(document->get_object());
}

template <class M>
M take(std::string_view line) {
  const auto read = read_message(line);
  if (!read) {
    ADD_FAILURE() << line << " was refused: " << reason(read.error().reason) << " " << read.error().detail;
    return {};
  }
  if (!std::holds_alternative<M>(*read)) {
    ADD_FAILURE() << line << " is alternative " << read->index();
    return {};
  }
  return std::get<M>(*read);
}

// "reason:field", or "" for what was taken.
std::string refusal_of(std::string_view line) {
  const auto read = read_message(line);
  return read ? "" : std::string(reason(read.error().reason)) + ":" + read.error().detail;
}

TEST(Type, MustBeAString) {
  EXPECT_EQ(refusal_of(R"({"type":1})"), "wrong_type:type");
  EXPECT_EQ(refusal_of(R"({"type":null})"), "wrong_type:type");
  EXPECT_EQ(refusal_of(R"({"type":["users"]})"), "wrong_type:type");
  EXPECT_EQ(refusal_of(R"({"type":"users\u0000","count":1})"), "invalid_characters:type");
}

TEST(Type, MustStandOnce) {
  EXPECT_EQ(refusal_of(R"({"type":"status","type":"status"})"), "duplicate_field:");
}

TEST(Type, UnknownOnesAreNoFault) {
  EXPECT_EQ(take<UnknownMessage>(R"({"type":"greeting","protocol":1})").type, "greeting");
  EXPECT_EQ(take<UnknownMessage>(R"({"type":""})").type, "");
}

TEST(Type, UnknownOnesAreCutBetweenCharacters) {
  const std::string long_type = std::string(63, 'x') + "\xC3\xA4" + std::string(1000, 'y');
  EXPECT_EQ(take<UnknownMessage>(R"({"type":")" + long_type + "\"}").type, std::string(63, 'x'));
}

TEST(Line, MustBeOneObject) {
  EXPECT_EQ(refusal_of(R"({"type":"status")"), "malformed_json:");
  EXPECT_EQ(refusal_of(R"({"type":"status"} x)"), "malformed_json:");
  EXPECT_EQ(refusal_of(R"(["type"])"), "not_an_object:");
  EXPECT_EQ(refusal_of(""), "malformed_json:");
}

TEST(Line, MayNotBeTooDeep) {
  const std::string deep = R"({"type":"status","x":)" + std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_EQ(refusal_of(deep), "too_deep:");
}

TEST(Line, MayHoldFieldsThatNobodyKnows) {
  take<StatusRequest>(R"({"later":[1,{"x":null}],"type":"status"})");
}

TEST(Users, AreACountAndLabels) {
  const auto bare = take<UsersMessage>(R"({"type":"users","count":12})");
  EXPECT_EQ(bare.count, 12U);
  EXPECT_EQ(bare.workload_type, std::nullopt);
  EXPECT_EQ(bare.driver, std::nullopt);
  EXPECT_EQ(bare.scenario, std::nullopt);

  const auto full = take<UsersMessage>(
      R"({"count":0,"scenario":"mixed load","driver":"boto","workload_type":"s3","type":"users"})");
  EXPECT_EQ(full.count, 0U);
  EXPECT_EQ(full.workload_type, "s3");
  EXPECT_EQ(full.driver, "boto");
  EXPECT_EQ(full.scenario, "mixed load");
}

TEST(Users, TakeNullForAbsentAndEmptyForEmpty) {
  const auto message =
      take<UsersMessage>(R"({"type":"users","count":1,"driver":null,"scenario":"","workload_type":""})");
  EXPECT_EQ(message.driver, std::nullopt);
  EXPECT_EQ(message.scenario, "");
  EXPECT_EQ(message.workload_type, "");
}

TEST(Users, CountWhollyUpToTwoToThe53) {
  EXPECT_EQ(take<UsersMessage>(R"({"type":"users","count":9007199254740992})").count, std::uint64_t{1} << 53);
  EXPECT_EQ(take<UsersMessage>(R"({"type":"users","count":4.0})").count, 4U);
  EXPECT_EQ(take<UsersMessage>(R"({"type":"users","count":1e3})").count, 1000U);
  EXPECT_EQ(refusal_of(R"({"type":"users","count":9007199254740994})"), "out_of_range:count");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":18446744073709551615})"), "out_of_range:count");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":1e400})"), "out_of_range:");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":-1})"), "out_of_range:count");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":1.5})"), "out_of_range:count");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":"1"})"), "wrong_type:count");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":true})"), "wrong_type:count");
  EXPECT_EQ(refusal_of(R"({"type":"users","count":null})"), "missing_field:count");
  EXPECT_EQ(refusal_of(R"({"type":"users"})"), "missing_field:count");
}

TEST(Users, HaveLabelsWithinTheirLimits) {
  const std::string users = R"({"type":"users","count":1,)";
  EXPECT_EQ(refusal_of(users + R"("workload_type":"a b"})"), "invalid_characters:workload_type");
  EXPECT_EQ(refusal_of(users + R"("workload_type":")" + std::string(65, 'a') + "\"}"),
            "too_long:workload_type");
  EXPECT_EQ(refusal_of(users + R"("driver":")" + std::string(129, 'a') + "\"}"), "too_long:driver");
  EXPECT_EQ(refusal_of(users + R"("driver":")" + std::string(128, 'a') + "\"}"), "");
  EXPECT_EQ(refusal_of(users + R"("scenario":")" + std::string(129, 'a') + "\"}"), "too_long:scenario");
  EXPECT_EQ(refusal_of(users + R"("scenario":7})"), "wrong_type:scenario");
  EXPECT_EQ(refusal_of(users + R"("driver":"a\u0000b"})"), "invalid_characters:driver");
}

TEST(Users, TellTheFirstOfTwoFaults) {
  EXPECT_EQ(refusal_of(R"({"type":"users","driver":1,"count":-1})"), "out_of_range:count");
}

TEST(RunStart, HoldsARun) {
  const auto message = take<RunStartMessage>(
      R"({"type":"run_start","run":{"test_run_id":"r-1","test_name":"night","driver":"boto","num_users":4,"tags":{"a":1}}})");
  EXPECT_EQ(message.run.test_run_id, "r-1");
  EXPECT_EQ(message.run.test_name, "night");
  EXPECT_EQ(message.run.driver, "boto");
  EXPECT_EQ(message.run.num_users, 4U);
  EXPECT_EQ(message.run.tags, R"({"a":1})");
}

TEST(RunStart, MayHoldItsFieldsBesideTheType) {
  const auto message = take<RunStartMessage>(R"({"type":"run_start","test_run_id":"r-1","scenario":"s"})");
  EXPECT_EQ(message.run.test_run_id, "r-1");
  EXPECT_EQ(message.run.scenario, "s");
}

TEST(RunStart, IsRefusedForABadRun) {
  EXPECT_EQ(refusal_of(R"({"type":"run_start","run":"r-1"})"), "wrong_type:run");
  EXPECT_EQ(refusal_of(R"({"type":"run_start","run":{}})"), "missing_field:test_run_id");
  EXPECT_EQ(refusal_of(R"({"type":"run_start"})"), "missing_field:test_run_id");
  EXPECT_EQ(refusal_of(R"({"type":"run_start","run":{"test_run_id":"../x"}})"), "invalid_characters:run");
  EXPECT_EQ(refusal_of(R"({"type":"run_start","run":{"test_run_id":"r","num_users":-1}})"),
            "out_of_range:run");
  EXPECT_EQ(refusal_of(R"({"type":"run_start","run":{"test_run_id":"r","test_name":"a\u0000"}})"),
            "invalid_characters:run");
}

TEST(RunEnd, NamesItsRun) {
  EXPECT_EQ(take<RunEndMessage>(R"({"type":"run_end","test_run_id":"r-1"})").test_run_id, "r-1");
  EXPECT_EQ(refusal_of(R"({"type":"run_end"})"), "missing_field:test_run_id");
  EXPECT_EQ(refusal_of(R"({"type":"run_end","test_run_id":""})"), "invalid_characters:test_run_id");
  EXPECT_EQ(refusal_of(R"({"type":"run_end","test_run_id":".hidden"})"), "invalid_characters:test_run_id");
  EXPECT_EQ(refusal_of(R"({"type":"run_end","test_run_id":5})"), "wrong_type:test_run_id");
  EXPECT_EQ(refusal_of(R"({"type":"run_end","test_run_id":")" + std::string(65, 'r') + "\"}"),
            "too_long:test_run_id");
}

TEST(Define, OfACounter) {
  const auto message = take<DefineMessage>(
      R"({"type":"define","id":4294967295,"name":"cache_hits_total","kind":"counter","help":"Hits.","labels":["tier","node"]})");
  EXPECT_EQ(message.id, 4294967295U);
  EXPECT_EQ(message.spec.base_name, "cache_hits");
  EXPECT_EQ(message.spec.kind, Kind::counter);
  EXPECT_EQ(message.spec.unit, "");
  EXPECT_EQ(message.spec.help, "Hits.");
  EXPECT_THAT(message.spec.label_names, ElementsAre("tier", "node"));
  EXPECT_THAT(message.spec.bounds, IsEmpty());
}

TEST(Define, OfAGauge) {
  const auto message = take<DefineMessage>(
      R"({"type":"define","id":0,"name":"queue_bytes","kind":"gauge","unit":"bytes","merge":"max"})");
  EXPECT_EQ(message.spec.base_name, "queue");
  EXPECT_EQ(message.spec.unit, "bytes");
  EXPECT_EQ(message.spec.merge, Merge::max);
  EXPECT_EQ(take<DefineMessage>(R"({"type":"define","id":0,"name":"queue","kind":"gauge"})").spec.merge,
            Merge::sum);
}

TEST(Define, OfAHistogram) {
  const auto given = take<DefineMessage>(
      R"({"type":"define","id":1,"name":"wait_seconds","kind":"histogram","unit":"seconds","bounds":[0.5,1,2]})");
  EXPECT_EQ(given.spec.base_name, "wait");
  EXPECT_THAT(given.spec.bounds, ElementsAre(0.5, 1, 2));
  const auto bare = take<DefineMessage>(R"({"type":"define","id":1,"name":"wait","kind":"histogram"})");
  EXPECT_EQ(bare.spec.bounds, default_duration_bounds());
}

TEST(Define, IsRefusedForWhatNoFamilyCanBe) {
  const auto with = [](std::string_view fields) {
    return refusal_of("{\"type\":\"define\"," + std::string(fields) + "}");
  };
  EXPECT_EQ(with(R"("name":"a","kind":"gauge")"), "missing_field:id");
  EXPECT_EQ(with(R"("id":1,"kind":"gauge")"), "missing_field:name");
  EXPECT_EQ(with(R"("id":1,"name":"a")"), "missing_field:kind");
  EXPECT_EQ(with(R"("id":4294967296,"name":"a","kind":"gauge")"), "out_of_range:id");
  EXPECT_EQ(with(R"("id":-1,"name":"a","kind":"gauge")"), "out_of_range:id");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"summary")"), "invalid_definition:kind");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":1)"), "wrong_type:kind");
  EXPECT_EQ(with(R"("id":1,"name":"a b","kind":"gauge")"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"","kind":"gauge")"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"_total","kind":"counter")"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a\u0000","kind":"gauge")"), "invalid_characters:name");
  EXPECT_EQ(with(R"("id":1,"name":")" + std::string(201, 'a') + R"(","kind":"gauge")"),
            "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","help":")" + std::string(1025, 'a') + "\""),
            "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","labels":["__name__"])"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","labels":["a","a"])"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","labels":{"a":"b"})"), "wrong_type:labels");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","labels":["a",1])"), "wrong_type:labels");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"histogram","labels":["le"])"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"histogram","bounds":[2,1])"), "invalid_definition:");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"histogram","bounds":[1,"2"])"), "wrong_type:bounds");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","bounds":[1])"), "invalid_definition:bounds");
  EXPECT_EQ(with(R"("id":1,"name":"a","kind":"gauge","merge":"mean")"), "invalid_definition:merge");
}

TEST(Define, TakesMergeForOtherKindsOnlyWhereItSaysWhatTheyDo) {
  EXPECT_EQ(refusal_of(R"({"type":"define","id":1,"name":"a","kind":"counter","merge":"sum"})"), "");
  EXPECT_EQ(refusal_of(R"({"type":"define","id":1,"name":"a","kind":"counter","merge":"max"})"),
            "invalid_definition:merge");
}

TEST(Samples, AreRowsOfIdLabelsAndValue) {
  const auto message = take<SamplesMessage>(
      R"({"type":"samples","rows":[[1,["ssd","n1"],2.5],[4294967295,[],[1,2,-3]],[0,[""],-7]]})");
  ASSERT_EQ(message.samples.size(), 3U);
  EXPECT_EQ(message.samples[0].id, 1U);
  EXPECT_THAT(message.samples[0].labels, ElementsAre("ssd", "n1"));
  EXPECT_THAT(message.samples[0].values, ElementsAre(2.5));
  EXPECT_EQ(message.samples[1].id, 4294967295U);
  EXPECT_THAT(message.samples[1].labels, IsEmpty());
  EXPECT_THAT(message.samples[1].values, ElementsAre(1, 2, -3));
  EXPECT_THAT(message.samples[2].labels, ElementsAre(""));
  EXPECT_THAT(message.samples[2].values, ElementsAre(-7));
  EXPECT_THAT(message.refused, IsEmpty());
}

TEST(Samples, SayBothOrNeitherOfTheirPlaceInAStream) {
  EXPECT_EQ(refusal_of(R"({"type":"samples","stream":0,"rows":[]})"), "missing_field:first_seq");
  EXPECT_EQ(refusal_of(R"({"type":"samples","first_seq":1,"rows":[]})"), "missing_field:stream");
  EXPECT_EQ(refusal_of(R"({"type":"samples","stream":0,"first_seq":0,"rows":[]})"), "out_of_range:first_seq");
  EXPECT_EQ(refusal_of(R"({"type":"samples","stream":0,"first_seq":9007199254740993,"rows":[]})"),
            "out_of_range:first_seq");
  EXPECT_EQ(refusal_of(R"({"type":"samples","stream":0,"first_seq":9007199254740992,"rows":[[1,[],1]]})"),
            "out_of_range:first_seq");
}

TEST(Hello, IsStrict) {
  const auto with = [](const std::string& rest) { return refusal_of(R"({"type":"hello",)" + rest + "}"); };
  const std::string id = R"("client_id":"00112233445566778899aabbccddeeff")";
  EXPECT_EQ(with(R"("protocol":2,"streams":[],)" + id), "")
      << "which versions it speaks is the daemon's to say";
  EXPECT_EQ(with(R"("streams":[],)" + id), "missing_field:protocol");
  EXPECT_EQ(with(R"("protocol":1,)" + id), "missing_field:streams");
  EXPECT_EQ(with(R"("protocol":1,"streams":[])"), "missing_field:client_id");
  EXPECT_EQ(with(R"("protocol":1,"streams":[],"client_id":"0011")"), "invalid_characters:client_id");
  EXPECT_EQ(with(R"("protocol":1,"streams":[],"client_id":"00112233445566778899AABBCCDDEEFF")"),
            "invalid_characters:client_id");
  EXPECT_EQ(with(R"("protocol":1,"streams":[{"stream":0}],)" + id), "missing_field:streams");
  EXPECT_EQ(with(R"("protocol":1,"streams":[{"stream":4096,"first_seq":1}],)" + id), "out_of_range:streams");
  EXPECT_EQ(with(R"("protocol":1,"streams":[1],)" + id), "wrong_type:streams");
  std::string many;
  for (std::size_t i = 0; i <= limits::kStreams; ++i) many += R"({"stream":0,"first_seq":1},)";
  many.pop_back();
  EXPECT_EQ(with(R"("protocol":1,"streams":[)" + many + "]," + id), "limit_reached:streams");
}

TEST(Samples, MayBeNone) {
  EXPECT_THAT(take<SamplesMessage>(R"({"type":"samples","rows":[]})").samples, IsEmpty());
}

TEST(Samples, RefuseABadRowAlone) {
  struct Case {
    std::string row;
    Errc reason;
  };
  const std::string seventeen_labels = R"(["","","","","","","","","","","","","","","","",""])";
  for (const Case& bad : {Case{"1", Errc::wrong_type},
                          {"null", Errc::wrong_type},
                          {"{}", Errc::wrong_type},
                          {"[]", Errc::wrong_type},
                          {"[1,[]]", Errc::wrong_type},
                          {"[1,[],2,3]", Errc::wrong_type},
                          {R"(["1",[],2])", Errc::wrong_type},
                          {"[-1,[],2]", Errc::out_of_range},
                          {"[4294967296,[],2]", Errc::out_of_range},
                          {"[1.5,[],2]", Errc::out_of_range},
                          {R"([1,"a",2])", Errc::wrong_type},
                          {"[1,[5],2]", Errc::wrong_type},
                          {R"([1,["a\u0000"],2])", Errc::invalid_characters},
                          {"[1,[\"" + std::string(257, 'x') + "\"],2]", Errc::too_long},
                          {"[1," + seventeen_labels + ",2]", Errc::label_mismatch},
                          {R"([1,[],"2"])", Errc::wrong_type},
                          {"[1,[],null]", Errc::wrong_type},
                          {"[1,[],[]]", Errc::missing_field},
                          {"[1,[],[1,null]]", Errc::wrong_type},
                          {"[1,[],[[1]]]", Errc::wrong_type}}) {
    const auto message =
        take<SamplesMessage>(R"({"type":"samples","rows":[[7,[],1],)" + bad.row + ",[8,[],2]]}");
    EXPECT_THAT(message.refused, ElementsAre(RefusedRow{1, bad.reason})) << bad.row;
    ASSERT_EQ(message.samples.size(), 2U) << bad.row;
    EXPECT_EQ(message.samples[1].id, 8U);
  }
}

std::string rows(std::size_t count) {
  std::string line = R"({"type":"samples","rows":[)";
  for (std::size_t i = 0; i < count; ++i) line += i == 0 ? "[1,[],1]" : ",[1,[],1]";
  return line + "]}";
}

// The reason for which a row with this value is refused, alone; "" where it is taken.
std::string row_refusal(const std::string& value) {
  const auto message =
      take<SamplesMessage>(R"({"type":"samples","rows":[[7,[],1],[1,[],)" + value + "],[8,[],2]]}");
  EXPECT_EQ(message.samples.size() + message.refused.size(), 3U);
  return message.refused.empty() ? "" : std::string(reason(message.refused.at(0).reason));
}

TEST(Samples, RefuseAHistogramThatLies) {
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2,1],"scale":4,"zero":1,"indices":[-2,7],"counts":[1,1]})"),
            "");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":8,"indices":[0],"counts":[2],"more":1})"), "");
  EXPECT_EQ(row_refusal("{}"), "missing_field");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[0]})"), "missing_field");
  EXPECT_EQ(row_refusal(R"({"sum":"1","buckets":[2],"scale":4,"indices":[0],"counts":[2]})"), "wrong_type");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[1.5],"scale":4,"indices":[0],"counts":[1]})"), "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":9,"indices":[0],"counts":[2]})"), "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4.5,"indices":[0],"counts":[2]})"), "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[0,1],"counts":[2]})"), "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[1,0],"counts":[1,1]})"),
            "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[0],"counts":[0]})"), "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[99999],"counts":[2]})"),
            "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[0],"counts":[-2]})"), "out_of_range");
  EXPECT_EQ(row_refusal(R"({"sum":1,"buckets":[2],"scale":4,"indices":[0,1],"counts":[9007199254740992,1]})"),
            "out_of_range");
}

TEST(Samples, AreRefusedWholeForAStructuralLie) {
  EXPECT_EQ(refusal_of(R"({"type":"samples"})"), "missing_field:rows");
  EXPECT_EQ(refusal_of(R"({"type":"samples","rows":{}})"), "wrong_type:rows");
  EXPECT_EQ(refusal_of(R"({"type":"samples","rows":[[1,[],1e400]]})"), "out_of_range:");
  EXPECT_EQ(take<SamplesMessage>(rows(limits::kSampleRows)).samples.size(), limits::kSampleRows);
  EXPECT_EQ(refusal_of(rows(limits::kSampleRows + 1)), "limit_reached:rows");
}

TEST(Heartbeat, TellsLosses) {
  const auto message = take<HeartbeatMessage>(
      R"({"type":"heartbeat","dropped":{"socket":{"no_daemon":3,"ring_full":4},"jsonl":{"disk_full":9007199254740992},"csv":{}}})");
  EXPECT_EQ(message.dropped, (DropCounts{{"socket", {{"no_daemon", 3}, {"ring_full", 4}}},
                                         {"jsonl", {{"disk_full", std::uint64_t{1} << 53}}}}));
}

TEST(Heartbeat, IsRefusedForWhatCannotBeCounted) {
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat"})"), "missing_field:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":5})"), "wrong_type:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":{"socket":5}})"), "wrong_type:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":{"socket":{"x":"5"}}})"), "wrong_type:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":{"socket":{"x":-5}}})"), "out_of_range:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":{"so cket":{"x":5}}})"),
            "invalid_characters:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":{"socket":{"":5}}})"), "invalid_characters:dropped");
  EXPECT_EQ(refusal_of(R"({"type":"heartbeat","dropped":{"socket":{"x\u0000":5}}})"),
            "invalid_characters:dropped");
}

std::string heartbeat(std::size_t sinks, std::size_t causes) {
  std::string dropped;
  for (std::size_t sink = 0; sink < sinks; ++sink) {
    dropped += (sink == 0 ? "\"s" : ",\"s") + std::to_string(sink) + "\":{";
    for (std::size_t cause = 0; cause < causes; ++cause) {
      dropped += (cause == 0 ? "\"c" : ",\"c") + std::to_string(cause) + "\":1";
    }
    dropped += "}";
  }
  return R"({"type":"heartbeat","dropped":{)" + dropped + "}}";
}

TEST(Heartbeat, HasABoundedNumberOfCauses) {
  EXPECT_EQ(refusal_of(heartbeat(8, 8)), "");
  EXPECT_EQ(refusal_of(heartbeat(1, 65)), "limit_reached:dropped");
  EXPECT_EQ(refusal_of(heartbeat(65, 1)), "limit_reached:dropped");
}

TEST(TaskSample, SaysWhatATaskCosts) {
  const auto full = take<TaskSampleMessage>(
      R"({"type":"task_sample","task_id":"build_1763650000","node":"host","role":"cc1plus","pid":4711,"history_size":1000,"interval":0.5,)"
      R"("metrics":{"thread_count" : 3, "cpu_usage_percent" : null},"aggregated":{ "sample_count" : 2.0 }})");
  EXPECT_EQ(full.task_id, "build_1763650000");
  EXPECT_EQ(full.node, "host");
  EXPECT_EQ(full.role, "cc1plus");
  EXPECT_EQ(full.pid, 4711U);
  EXPECT_EQ(full.history_size, 1000U);
  EXPECT_EQ(full.interval, 0.5);
  EXPECT_EQ(full.metrics, R"({"thread_count":3,"cpu_usage_percent":null})");
  EXPECT_EQ(full.aggregated, R"({"sample_count":2})");

  const auto bare = take<TaskSampleMessage>(R"({"type":"task_sample","task_id":"a b/ä","metrics":{}})");
  EXPECT_EQ(bare.task_id, "a b/ä");
  EXPECT_EQ(bare.node, "");
  EXPECT_EQ(bare.role, "");
  EXPECT_EQ(bare.pid, 0U);
  EXPECT_EQ(bare.history_size, 100U);
  EXPECT_EQ(bare.interval, 0);
  EXPECT_EQ(bare.metrics, "{}");
  EXPECT_EQ(bare.aggregated, "");
  EXPECT_EQ(bare.origin, std::nullopt);
}

std::string task_sample(std::string_view field) {
  return R"({"type":"task_sample","task_id":"t","metrics":{},)" + std::string(field) + "}";
}

TEST(TaskSample, MaySayWhichOfItsSendersItIs) {
  const std::string sender = R"("sender_id":"00112233445566778899aabbccddeeff")";
  EXPECT_EQ(take<TaskSampleMessage>(task_sample(sender + R"(,"number":7)")).origin,
            (TaskSampleOrigin{"00112233445566778899aabbccddeeff", 7}));
  EXPECT_EQ(refusal_of(task_sample(sender + R"(,"number":9007199254740992)")), "");
  EXPECT_EQ(refusal_of(task_sample(sender + R"(,"number":9007199254740993)")), "out_of_range:number");
  EXPECT_EQ(refusal_of(task_sample(sender + R"(,"number":0)")), "out_of_range:number");
  EXPECT_EQ(refusal_of(task_sample(sender + R"(,"number":"1")")), "wrong_type:number");
  EXPECT_EQ(refusal_of(task_sample(sender)), "missing_field:number");
  EXPECT_EQ(refusal_of(task_sample(R"("number":1)")), "missing_field:sender_id");
  EXPECT_EQ(refusal_of(task_sample(R"("number":1,"sender_id":"me")")), "invalid_characters:sender_id");
}

TEST(TaskSample, IsRefusedForWhatItCannotBe) {
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","metrics":{}})"), "missing_field:task_id");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"","metrics":{}})"), "missing_field:task_id");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":7,"metrics":{}})"), "wrong_type:task_id");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"a\u0000","metrics":{}})"),
            "invalid_characters:task_id");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"t"})"), "missing_field:metrics");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"t","metrics":null})"), "missing_field:metrics");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"t","metrics":[]})"), "wrong_type:metrics");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"t","metrics":{"a":1,"a":2}})"),
            "duplicate_field:");
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","task_id":"t","metrics":{"a":1e400}})"), "out_of_range:");
  EXPECT_EQ(refusal_of(task_sample(R"("aggregated":"{}")")), "wrong_type:aggregated");
  EXPECT_EQ(refusal_of(task_sample(R"("history_size":10000)")), "");
  EXPECT_EQ(refusal_of(task_sample(R"("history_size":10001)")), "out_of_range:history_size");
  EXPECT_EQ(refusal_of(task_sample(R"("history_size":-1)")), "out_of_range:history_size");
  EXPECT_EQ(refusal_of(task_sample(R"("interval":-0.5)")), "out_of_range:interval");
  EXPECT_EQ(refusal_of(task_sample(R"("interval":2e9)")), "out_of_range:interval");
  EXPECT_EQ(refusal_of(task_sample(R"("interval":"1")")), "wrong_type:interval");
  EXPECT_EQ(refusal_of(task_sample(R"("pid":1.5)")), "out_of_range:pid");
}

TEST(TaskSample, HasABoundedSize) {
  for (const std::string name : {"role", "node"}) {
    EXPECT_EQ(refusal_of(task_sample("\"" + name + "\":\"" + std::string(256, 'a') + "\"")), "");
    EXPECT_EQ(refusal_of(task_sample("\"" + name + "\":\"" + std::string(257, 'a') + "\"")),
              "too_long:" + name);
  }
  EXPECT_EQ(refusal_of(R"({"type":"task_sample","metrics":{},"task_id":")" + std::string(257, 'a') + "\"}"),
            "too_long:task_id");
  const auto object_of = [](std::size_t size) { return R"({"a":")" + std::string(size - 8, 'x') + R"("})"; };
  EXPECT_EQ(refusal_of(task_sample(R"("aggregated": )" + object_of(8192))), "");
  EXPECT_EQ(refusal_of(task_sample(R"("aggregated":)" + object_of(8193))), "too_long:aggregated");
  const std::string nested = std::string(40, '[') + std::string(40, ']');
  EXPECT_EQ(refusal_of(task_sample(R"("aggregated":{"a":)" + nested + "}")), "too_deep:");
}

}  // namespace
}  // namespace metricsd::ipc
