#include "checkpoint/cut.h"

#include "checkpoint/replica.h"

#include <metricsd/models/limits.h>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

// A shard with something in every corner of it.
class CutTest : public ::testing::Test {
 protected:
  CutTest() {
    FamilySpec spec;
    spec.base_name = "things";
    spec.label_names = {"kind"};
    things_ = registry_.define<Counter>(spec).value();
    tell(1);
  }

  void tell(std::uint64_t times) {
    const Moment now{{1'700'000'000 * kNsPerSecond}, static_cast<std::int64_t>(times) * kNsPerSecond};
    things_->at(LabelValues{"a"}, now).apply(times);
    totals_.operations += times;
    totals_.rejected[Errc::too_long] += times;
    add_dropped(totals_.dropped, "socket", "gap", times);
    metricsd::Run run;
    run.test_run_id = "r" + std::to_string(times);
    run.start_time = now.wall;
    live_runs_.join(run, now).add_dropped("ring", "full", times);
    std::uint64_t gap = 0;
    ipc::HelloMessage hello;
    hello.client_id = "c" + std::to_string(times);
    Client& client = *clients_.greet(1, hello, times, now.monotonic_ns, gap).value();
    ASSERT_TRUE(clients_.advance(client, {0, 1}, times));
    ASSERT_TRUE(tasks_.take({.task_id = "t", .metrics = "{}"}, told_, now));
  }

  std::string cut(Extent extent) {
    std::string bytes;
    save_cut(bytes, {registry_, totals_, live_runs_, clients_, &tasks_}, extent, {});
    return bytes;
  }

  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>(10);
  Registry registry_{catalog_};
  Family<Counter>* things_;
  IngestTotals totals_;
  LiveRuns live_runs_;
  Clients clients_{Durability::of_checkpoints};
  TaskHistory tasks_;
  TaskHistory::Told told_;
};

void expect_same(const ShardReport& a, const ShardReport& b) {
  EXPECT_EQ(a.totals.operations, b.totals.operations);
  EXPECT_EQ(a.totals.rejected, b.totals.rejected);
  EXPECT_EQ(a.totals.dropped, b.totals.dropped);
  EXPECT_EQ(a.known_clients, b.known_clients);
  ASSERT_EQ(a.live_runs.runs().size(), b.live_runs.runs().size());
  for (const auto& [id, run] : a.live_runs.runs()) {
    const LiveRun* other = b.live_runs.find(id);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(run.dropped, other->dropped);
    EXPECT_EQ(run.connections, other->connections);
    EXPECT_EQ(run.run.start_time, other->run.start_time);
    EXPECT_EQ(run.last.monotonic_ns, other->last.monotonic_ns);
  }
}

TEST_F(CutTest, AReplicaKeepsInStep) {
  Replica replica(catalog_);
  ASSERT_TRUE(replica.load(cut(Extent::whole), {}));
  for (std::uint64_t i = 2; i <= 5; ++i) {
    tell(i);
    ASSERT_TRUE(replica.load(cut(Extent::changed), {}));
    const ReportParts all{.registry = true, .run_statistics = true, .clients = true};
    expect_same(replica.report(all), report_of(totals_, live_runs_, clients_, all, registry_.image()));
    EXPECT_EQ(replica.tasks().page("t", "", 0, 100)->total, i);
  }
  Replica another(std::make_shared<Catalog>(10));
  std::string whole;
  replica.save(whole, {});
  ASSERT_TRUE(another.load(whole, {}));
  expect_same(another.report({}), replica.report({}));
  EXPECT_EQ(another.tasks().page("t", "", 0, 100)->total, 5U);
}

TEST_F(CutTest, NoBytesAreNoChange) {
  Replica replica(catalog_);
  ASSERT_TRUE(replica.load(cut(Extent::whole), {}));
  ASSERT_TRUE(replica.load("", {}));
  EXPECT_EQ(replica.report({}).totals.operations, 1U);
}

// What the version before wrote, and what another shard writes.
TEST_F(CutTest, OneWithoutTasksIsWhole) {
  std::string bytes;
  save_cut(bytes, {registry_, totals_, live_runs_, clients_}, Extent::whole, {});
  Replica replica(catalog_);
  ASSERT_TRUE(replica.load(bytes, {}));
  EXPECT_EQ(replica.tasks().size().tasks, 0U);
}

TEST_F(CutTest, NoPartOfACutIsOne) {
  tell(2);
  std::string without_tasks;
  save_cut(without_tasks, {registry_, totals_, live_runs_, clients_}, Extent::whole, {});
  const std::string whole = cut(Extent::whole);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == without_tasks.size()) continue;
    Replica replica(std::make_shared<Catalog>(10));
    EXPECT_FALSE(replica.load(std::string_view(whole).substr(0, size), {})) << size;
  }
  Replica replica(std::make_shared<Catalog>(10));
  EXPECT_FALSE(replica.load(whole + '\0', {}));
}

// A checksum guards what is on the disk; this is about who writes such files on purpose.
TEST_F(CutTest, NoByteOfACutIsACrash) {
  tell(2);
  const std::string whole = cut(Extent::whole);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x7F, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      Replica replica(std::make_shared<Catalog>(10));
      if (!replica.load(damaged, {})) continue;
      const ShardReport report = replica.report({.registry = true, .run_statistics = true, .clients = true});
      for (const auto& [id, run] : report.live_runs.runs()) (void)run.summary({});
    }
  }
}

}  // namespace
}  // namespace metricsd::server
