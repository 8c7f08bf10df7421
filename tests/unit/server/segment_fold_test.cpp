#include "adoption/segment_fold.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/support/manual_clock.h>
#include <metricsd/support/segment_image.h>

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using support::SegmentImage;

constexpr uid_t kUid = 1000;
constexpr std::string_view kStore = "ffeeddccbbaa99887766554433221100";

class SegmentFoldTest : public ::testing::Test {
 protected:
  // Folds all of it; the records that were new.
  std::uint64_t fold(const SegmentImage& image) {
    const auto file = std::make_shared<const UniqueFd>(image.file());
    auto segment = ipc::SegmentReader::open(file->get());
    EXPECT_TRUE(segment);
    const auto prepared = PreparedSegment::of(*std::move(segment), file, kUid);
    EXPECT_TRUE(prepared);
    SegmentFold fold(aggregator_, *prepared, ++id_);
    EXPECT_TRUE(fold.begin());
    for (auto more = fold.turn(); more && *more; more = fold.turn()) {
    }
    fold.end();
    return fold.records();
  }

  // What the status says of the one client.
  RecordCounts records() const {
    std::vector<ClientReport> clients;
    aggregator_.clients().report(clients, 10);
    EXPECT_EQ(clients.size(), 1U);
    return clients.empty() ? RecordCounts{} : clients.front().records;
  }
  std::uint64_t dropped(const std::string& sink, const std::string& cause) const {
    const auto found = aggregator_.totals().dropped.find(sink);
    if (found == aggregator_.totals().dropped.end() || !found->second.contains(cause)) return 0;
    return found->second.at(cause);
  }

  static SegmentImage::RingOptions ring(std::size_t records, std::uint32_t stream = 0) {
    SegmentImage::RingOptions ring;
    ring.stream = stream;
    for (std::size_t i = 0; i < records; ++i) ring.records.push_back(SegmentImage::record("upload"));
    return ring;
  }

  support::ManualClock clock_;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>(limits::kSeriesPerFamily);
  Aggregator aggregator_{{}, catalog_, clock_, std::string(kStore)};
  Gauge::Owner id_ = 100;
};

TEST_F(SegmentFoldTest, TakesTheQueueAndTheRecordsBehindIt) {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 1, 3)});
  SegmentImage::RingOptions queued = ring(5);
  queued.taken = 3;
  queued.sequence = 3;
  image.add_ring(queued);
  image.add_ring(ring(7, 1));
  EXPECT_EQ(fold(image), 12U);
  EXPECT_EQ(records().emitted, 12U);
  EXPECT_EQ(records().folded, 12U);
  EXPECT_EQ(aggregator_.totals().operations, 12U);
  EXPECT_EQ(aggregator_.totals().connections, 0U);
}

// Killed between the queue's end and the ring's cursor: the records stand in both.
TEST_F(SegmentFoldTest, CountsARecordOnceThatStandsInQueueAndRing) {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 1, 3)});
  image.add_ring(ring(5));
  EXPECT_EQ(fold(image), 5U);
  EXPECT_EQ(records().folded, 5U);
}

TEST_F(SegmentFoldTest, CountsWhatTheConnectionBroughtOnce) {
  Sender sender(1);
  aggregator_.open();
  ipc::HelloMessage hello;
  hello.client_id = std::string(SegmentImage::kClient);
  hello.streams = {{0, 1}};
  ASSERT_TRUE(aggregator_.greet(sender, kUid, hello));
  ipc::Decoder decoder(limits::kBatchLine);
  const std::string line = SegmentImage::batch(0, 1, 4).line;
  decoder.feed(line);
  ASSERT_EQ(decoder.next(), ipc::Decoder::Step::batch);
  ASSERT_TRUE(aggregator_.apply(sender, decoder.batch()));
  aggregator_.close(sender);

  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 3, 4)});
  SegmentImage::RingOptions rest = ring(3);
  rest.sequence = 6;
  rest.written = 6;
  image.add_ring(rest);
  EXPECT_EQ(fold(image), 5U);
  EXPECT_EQ(records().folded, 9U);
  EXPECT_EQ(fold(image), 0U);  // and once more: nothing
  EXPECT_EQ(records().folded, 9U);
}

TEST_F(SegmentFoldTest, CountsLossesOnce) {
  SegmentImage image;
  image.set_loss(0, "ring", "full", 7);
  image.add_ring(ring(1));
  fold(image);
  EXPECT_EQ(dropped("ring", "full"), 7U);
  fold(image);
  EXPECT_EQ(dropped("ring", "full"), 7U);
  image.set_loss(0, "ring", "full", 9);
  fold(image);
  EXPECT_EQ(dropped("ring", "full"), 9U);
}

TEST_F(SegmentFoldTest, CountsWhatIsNoOperationAndWhatCannotBeRead) {
  SegmentImage image;
  SegmentImage::RingOptions mixed = ring(2);
  mixed.records.insert(mixed.records.begin() + 1, SegmentImage::record("no good"));
  mixed.records.push_back(std::string(64, '\0'));
  image.add_ring(mixed);
  EXPECT_EQ(fold(image), 3U);
  EXPECT_EQ(records().folded, 2U);
  EXPECT_EQ(dropped("record", "invalid"), 1U);
  EXPECT_EQ(dropped("record", "unreadable"), 1U);
}

// Records that a client which has ended its run counted as lost are not folded, too.
TEST_F(SegmentFoldTest, LeavesOutWhatCountsAsLostAlready) {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 1, 3)});
  SegmentImage::RingOptions late = ring(5);
  late.taken = 3;
  late.sequence = 3;
  image.add_ring(late);
  image.header().ended = 1;
  image.set_loss(0, "record", "late", 2);
  EXPECT_EQ(fold(image), 3U);
  EXPECT_EQ(dropped("record", "late"), 2U);
}

TEST_F(SegmentFoldTest, KnowsTheRunAndItsMetrics) {
  SegmentImage image;
  std::string run_start;
  metricsd::Run run;
  run.test_run_id = "nightly";
  run.test_name = "nightly";
  ipc::encode(run_start, ipc::RunStartMessage{run});
  image.add_run({run_start, "", "s3", "boto", "abc"});
  std::string lines;
  FamilySpec spec;
  spec.base_name = "lookups";
  spec.kind = Kind::counter;
  ipc::encode(lines, ipc::DefineMessage{1, spec});
  image.add_definitions(lines);
  ipc::SamplesMessage samples;
  samples.position = ipc::StreamPosition{limits::kMetricsStream, 1};
  samples.samples.push_back({.id = 1, .labels = {}, .values = {5}});
  SegmentImage::QueueLine queued{.stream = limits::kMetricsStream};
  ipc::encode(queued.line, samples);
  image.add_queue(1, {queued});
  image.add_ring(ring(2));
  EXPECT_EQ(fold(image), 3U);
  const LiveRun* live = aggregator_.live_runs().find("nightly");
  ASSERT_NE(live, nullptr);
  EXPECT_EQ(live->counts.total, 2U);
  EXPECT_FALSE(live->is_live());
  EXPECT_EQ(records().folded, 3U);
  EXPECT_TRUE(aggregator_.totals().rejected.empty());
}

TEST_F(SegmentFoldTest, PassesOverEntriesThatSayAnotherThingThanTheirLine) {
  SegmentImage image;
  SegmentImage::QueueLine lie = SegmentImage::batch(0, 1, 3);
  lie.last_seq = 5;
  SegmentImage::QueueLine message{.stream = 0, .first_seq = 4, .last_seq = 4, .line = "{\"type\":\"bye\"}\n"};
  SegmentImage::QueueLine cut = SegmentImage::batch(0, 5, 1);
  cut.line.pop_back();
  image.add_queue(1, {lie, message, cut, SegmentImage::batch(0, 6, 1)});
  EXPECT_EQ(fold(image), 6U);
  EXPECT_EQ(records().folded, 1U);
  EXPECT_EQ(records().dropped, 5U);
  EXPECT_EQ(dropped("socket", "gap"), 5U);
}

// The store said that it keeps something of this client, and does not know it: it is long forgotten. What it
// never sent was never counted.
TEST_F(SegmentFoldTest, CountsWhatMayHaveBeenCountedAsExpired) {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 5, 3)});
  SegmentImage::RingOptions rest = ring(2);
  rest.sequence = 7;
  rest.written = 7;
  image.add_ring(rest);
  image.set_store(kStore, true);
  image.set_loss(0, "ring", "full", 7);  // as it was told
  EXPECT_EQ(fold(image), 2U);
  EXPECT_EQ(dropped("socket", "expired"), 3U);
  EXPECT_EQ(dropped("ring", "full"), 0U);
  EXPECT_EQ(aggregator_.totals().operations, 2U);
}

// Others took its place, and it had not heard yet that anything is kept.
TEST_F(SegmentFoldTest, CountsWhatItHasForgottenAsExpired) {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 1, 5)});
  EXPECT_EQ(fold(image), 5U);
  clock_.advance(limits::kClientIdleNs);
  Sender sender{1};
  ipc::HelloMessage another;
  another.client_id = "another";
  aggregator_.begin_chunk(0);
  ASSERT_TRUE(aggregator_.greet(sender, kUid, another));
  EXPECT_EQ(fold(image), 0U);
  EXPECT_EQ(dropped("socket", "expired"), 5U);
  EXPECT_EQ(aggregator_.totals().operations, 5U);
}

TEST_F(SegmentFoldTest, TakesAllThatAnotherStoreDoesNotKnow) {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 5, 3)});
  image.set_store("00000000000000000000000000000000", true);
  EXPECT_EQ(fold(image), 3U);
  EXPECT_EQ(records().dropped, 0U);
}

}  // namespace
}  // namespace metricsd::server
