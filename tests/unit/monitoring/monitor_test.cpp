#include "monitor.h"

#include <metricsd/support/manual_clock.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

// Remembers what it was given.
class Listener final : public Destination {
 public:
  void take(const Observation& observation) noexcept override {
    counts.push_back(observation.aggregates.total.sample_count());
    had_tree = observation.tree != nullptr;
    last = observation.is_last;
  }
  [[nodiscard]] std::string_view name() const override { return "listener"; }
  [[nodiscard]] DestinationReport report() const override { return {}; }

  std::vector<std::uint64_t> counts;
  bool had_tree = false;
  bool last = false;
};

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() {
    task_.profile = *find_profile("standard");
    auto listener = std::make_unique<Listener>();
    listener_ = listener.get();
    destinations_.push_back(std::move(listener));
  }

  Monitor make() { return {task_, &tree_, nullptr, nullptr, destinations_, clock_}; }
  void advance(double seconds) { clock_.advance(static_cast<std::int64_t>(seconds * kNsPerSecond)); }

  support::ManualClock clock_;
  Task task_;
  Listener* listener_;
  Monitor::Destinations destinations_;
  TreeSampler tree_{Roots{}, RoleRules{}, Collect{}, clock_};
};

TEST_F(MonitorTest, TakesSamplesWhenTheyAreDue) {
  Monitor monitor = make();
  EXPECT_EQ(monitor.wait_ms(), 0);
  monitor.sample();
  EXPECT_EQ(monitor.wait_ms(), 10'000);
  monitor.sample_if_due();
  EXPECT_EQ(listener_->counts.size(), 1U);
  advance(9.9995);
  EXPECT_EQ(monitor.wait_ms(), 1);  // never 0 before it is due: that would be a busy loop
  advance(0.0005);
  EXPECT_EQ(monitor.wait_ms(), 0);
  monitor.sample_if_due();
  monitor.sample_if_due();
  EXPECT_EQ(listener_->counts, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(MonitorTest, KeepsItsIntervals) {
  Monitor monitor = make();
  monitor.sample();
  advance(13);
  monitor.sample_if_due();
  EXPECT_EQ(monitor.wait_ms(), 7'000);  // late, but the next one is not
}

TEST_F(MonitorTest, MissedSamplesAreNotMadeUpFor) {
  Monitor monitor = make();
  monitor.sample();
  advance(1000.5);
  monitor.sample_if_due();
  monitor.sample_if_due();
  EXPECT_EQ(listener_->counts.size(), 2U);
  EXPECT_EQ(monitor.wait_ms(), 9'500);
}

TEST_F(MonitorTest, WaitsAnHourAtATime) {
  task_.profile.interval = std::chrono::hours(24);
  Monitor monitor = make();
  monitor.sample();
  EXPECT_EQ(monitor.wait_ms(), 3'600'000);
}

TEST_F(MonitorTest, FollowsTheWholeAndItsRoles) {
  ASSERT_TRUE(tree_.follow(::getpid(), TreeSampler::Scope::process));
  Monitor monitor = make();
  monitor.sample();
  advance(10);
  monitor.sample(true);
  EXPECT_TRUE(listener_->had_tree);
  EXPECT_TRUE(listener_->last);
  ASSERT_NE(monitor.tree(), nullptr);
  EXPECT_EQ(monitor.course().most_processes, 1U);
  ASSERT_EQ(monitor.course().aggregates.roles.size(), 1U);
  const auto& [role, aggregate] = *monitor.course().aggregates.roles.begin();
  EXPECT_EQ(aggregate.sample_count(), 2U);
  EXPECT_EQ(monitor.course().most_processes_of.at(role), 1U);
  EXPECT_GT(aggregate.max_memory_usage().value(), 0U);
  EXPECT_FALSE(aggregate.total_network_rx());
  EXPECT_EQ(monitor.course().cpu.points().size(), 1U);
  EXPECT_EQ(monitor.course().memory.points().size(), 2U);
}

}  // namespace
}  // namespace metricsd::tools
