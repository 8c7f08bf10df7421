#include "answers.h"
#include "dialect.h"
#include "event.h"
#include "payload.h"
#include "renderers.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::vector<Event> kTwoEvents{
    {.label_set = 0, .success = true, .duration_ns = 112'500'000, .bytes = 1'048'576},
    {.label_set = 4, .success = false, .duration_ns = 51'200, .bytes = 4096}};

// What one write of two events says, the first time and the second time round a ring of this one write.
std::array<std::string, 2> two_rounds(std::string_view dialect) {
  Payload payload = find_dialect(dialect)->render(kTwoEvents, 2);
  const Write write = payload.writes().front();
  const std::string first(payload.bytes(write));
  payload.advance(write);
  return {first, std::string(payload.bytes(write))};
}

boost::json::object object_of(std::string_view line) {
  return parse_json(line).value().as_object();
}

TEST(Events, AreTheSameInEveryRunAndOccurInEachSeries) {
  const std::vector<Event> events = make_events(256);
  const std::vector<Event> again = make_events(512);
  std::set<std::size_t> series;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].duration_ns, again[i].duration_ns);
    EXPECT_EQ(events[i].bytes, again[i].bytes);
    series.insert(events[i].series());
  }
  EXPECT_EQ(series.size(), kSeries);
}

TEST(Ring, HoldsWholeWritesThatFollowOneAnother) {
  for (const Dialect& dialect : all_dialects()) {
    for (const std::size_t events_a_write : {1U, 8U, 64U, 4096U}) {
      const Payload ring = render_ring(dialect, events_a_write);
      EXPECT_EQ(ring.writes().size(), 4096 / events_a_write) << dialect.name;
      std::size_t end = 0;
      for (const Write& write : ring.writes()) {
        EXPECT_EQ(write.offset, end) << dialect.name;
        EXPECT_GT(write.length, 0) << dialect.name;
        end += write.length;
      }
    }
  }
}

TEST(Ring, ItsRunningNumbersGoOnWhereTheLastRoundEnded) {
  PayloadBuilder out;
  out.append(0);
  out.add(0, 8);
  out.end_write();
  out.append(0);
  out.add(0, 8);
  out.text() += ' ';
  out.add(1, 1);
  out.append(1);
  out.end_write();
  Payload ring = std::move(out).finish();
  std::vector<std::string> sent;
  for (int round = 0; round < 3; ++round) {
    for (const Write& write : ring.writes()) {
      sent.emplace_back(ring.bytes(write));
      ring.advance(write);
    }
  }
  EXPECT_THAT(sent, ElementsAre("1000000000000", "1000000000008 1000000000001",  //
                                "1000000000016", "1000000000024 1000000000002",  //
                                "1000000000032", "1000000000040 1000000000003"));
}

TEST(MetricsdLine, IsAnOperationThatTheDaemonTakes) {
  const std::string text = two_rounds("metricsd-line")[0];
  const auto first = object_of(text.substr(0, text.find('\n')));
  EXPECT_EQ(first.at("operation_type"), "upload");
  EXPECT_EQ(first.at("workload_type"), "s3");
  EXPECT_EQ(first.at("driver"), "rest");
  EXPECT_EQ(first.at("duration_ms"), 112.5);
  EXPECT_EQ(first.at("object_size_bytes"), 1'048'576);
  EXPECT_EQ(first.at("success"), true);
  EXPECT_THAT(text, HasSubstr(R"("success":false)"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

// All that a daemon reads in two times round a ring of batches.
TEST(MetricsdBatch, HoldsEveryEventInConsecutiveRecords) {
  const std::vector<Event> events = make_events(40);
  Payload ring = find_dialect("metricsd-batch")->render(events, 8);
  ipc::Decoder decoder(limits::kBatchLine);
  std::uint64_t next_seq = kFirstNumber;
  std::uint64_t versions = 0;
  for (int round = 0; round < 2; ++round) {
    std::size_t ordinal = 0;
    for (const Write& write : ring.writes()) {
      decoder.feed(ring.bytes(write));
      ASSERT_EQ(decoder.next(), ipc::Decoder::Step::batch);
      const ipc::Batch& batch = decoder.batch();
      ASSERT_FALSE(batch.refusal);
      EXPECT_EQ(batch.first_seq, next_seq);
      next_seq += batch.count;
      versions = batch.shared_version;
      for (const ipc::BatchRow& row : batch.rows) {
        const Event& event = events.at(ordinal++);
        EXPECT_EQ(batch.shared.at(row.shared).operation_type, event.labels().operation);
        EXPECT_EQ(batch.shared.at(row.shared).success, event.success);
        EXPECT_EQ(row.duration_ns, event.duration_ns);
        EXPECT_EQ(row.object_size_bytes, event.bytes);
      }
      ASSERT_EQ(decoder.next(), ipc::Decoder::Step::need_more);
      ring.advance(write);
    }
    EXPECT_EQ(ordinal, events.size());
  }
  EXPECT_EQ(versions, 1) << "the dictionary is the same in every batch";
}

TEST(MetricsdHello, IsOfAnotherClientEachTime) {
  const auto hello = object_of(metricsd_hello());
  EXPECT_EQ(hello.at("type"), "hello");
  EXPECT_EQ(hello.at("client_id").as_string().size(), 32);
  EXPECT_EQ(hello.at("streams").at(0).at("first_seq"), kFirstNumber);
  EXPECT_NE(hello.at("client_id"), object_of(metricsd_hello()).at("client_id"));
}

TEST(Statsd, TellsAnEventInThreeLines) {
  EXPECT_THAT(two_rounds("statsd")[0], StartsWith("operation.upload.s3.rest.success.operations:1|c\n"
                                                  "operation.upload.s3.rest.success.duration:112.5|ms\n"
                                                  "operation.upload.s3.rest.success.bytes:1048576|c\n"
                                                  "operation.read.rbd.librbd.failure.operations:1|c\n"));
}

TEST(Influx, TellsAnEventInOneLine) {
  EXPECT_EQ(two_rounds("influx")[0],
            "operation,operation=upload,workload=s3,driver=rest,status=success "
            "count=1,duration_ms=112.5,bytes=1048576\n"
            "operation,operation=read,workload=rbd,driver=librbd,status=failure "
            "count=1,duration_ms=0.0512,bytes=4096\n");
}

TEST(Collectd, CountsInRunningTotals) {
  const auto rounds = two_rounds("collectd");
  EXPECT_THAT(rounds[0], StartsWith("PUTVAL load/operation-s3.rest.success/derive-upload.operations "
                                    "interval=10 N:1000000000001\n"
                                    "PUTVAL load/operation-s3.rest.success/gauge-upload.duration_ms "
                                    "interval=10 N:112.5\n"
                                    "PUTVAL load/operation-s3.rest.success/gauge-upload.bytes "
                                    "interval=10 N:1048576\n"));
  EXPECT_THAT(rounds[1], HasSubstr("upload.operations interval=10 N:1000000000002\n"));
}

TEST(Pushgateway, SaysTheTrueLengthOfEachBody) {
  for (const std::string& text : two_rounds("pushgateway")) {
    std::string_view left = text;
    int requests = 0;
    for (; !left.empty(); ++requests) {
      ASSERT_THAT(std::string(left), StartsWith("PUT /metrics/job/load/operation/"));
      const std::size_t head = left.find("\r\n\r\n") + 4;
      const std::size_t length = std::stoul(std::string(left.substr(left.find("Content-Length: ") + 16)));
      ASSERT_LE(head + length, left.size());
      EXPECT_EQ(left[head + length - 1], '\n');
      left.remove_prefix(head + length);
    }
    EXPECT_EQ(requests, 2);
  }
}

TEST(AnswerCounter, CountsAnswersHoweverTheyAreCut) {
  const std::string text = "0 Success: 1 value\n0 Success: 1 value\n-1 Value too old!\n0 Success: 1 value\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    AnswerCounter answers("0 Success");
    for (std::size_t at = 0; at < text.size(); at += piece) answers.take(text.substr(at, piece));
    EXPECT_EQ(answers.count(), 3) << "in pieces of " << piece;
  }
}

TEST(Dialects, AreFoundByName) {
  for (const Dialect& dialect : all_dialects()) EXPECT_EQ(find_dialect(dialect.name), &dialect);
  EXPECT_EQ(find_dialect("carrier-pigeon"), nullptr);
}

}  // namespace
}  // namespace metricsd::load
