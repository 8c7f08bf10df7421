#include "tasks/task_history.h"

#include "tasks/tasks_json.h"

#include <metricsd/models/limits.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Moment second(std::int64_t s) {
  return {{(1'767'225'600 + s) * kNsPerSecond}, s * kNsPerSecond};
}

ipc::TaskSampleMessage sample_of(const std::string& task, int number, const std::string& role = "") {
  return {.task_id = task, .role = role, .metrics = R"({"n":)" + std::to_string(number) + "}"};
}

class TaskHistoryTest : public ::testing::Test {
 protected:
  // What went for it; nothing where it was refused.
  std::optional<std::uint64_t> take(const ipc::TaskSampleMessage& sample, std::int64_t at_s = 0) {
    const auto taken = history_.take(sample, told_, second(at_s));
    if (taken) return taken->dropped;
    EXPECT_EQ(taken.error(), Errc::limit_reached);
    return std::nullopt;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    history_.look([&names](const Tasks& tasks) {
      for (const auto& [id, task] : tasks) {
        for (const auto& [name, role] : task.roles) names.push_back(id + "/" + name);
      }
    });
    return names;
  }
  std::vector<std::string> page(const std::string& task, std::uint64_t offset = 0,
                                std::uint64_t limit = 1000) {
    const auto page = history_.page(task, "", offset, limit);
    return page ? page->metrics : std::vector<std::string>{"none"};
  }

  TaskHistory history_{{.tasks = 3, .roles = 2, .bytes = 64 * 1024}};
  TaskHistory::Told told_;
};

TEST_F(TaskHistoryTest, GivesTheNewestFirst) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take(sample_of("t", i), i), 0U);
  EXPECT_THAT(page("t"), ElementsAre(R"({"n":4})", R"({"n":3})", R"({"n":2})", R"({"n":1})", R"({"n":0})"));
  EXPECT_THAT(page("t", 1, 2), ElementsAre(R"({"n":3})", R"({"n":2})"));
  EXPECT_THAT(page("t", 4, 2), ElementsAre(R"({"n":0})"));
  EXPECT_THAT(page("t", 5), IsEmpty());
  EXPECT_THAT(page("t", limits::kWhole), IsEmpty());
  EXPECT_EQ(history_.page("t", "", 4, 1)->total, 5U);
  EXPECT_EQ(history_.page("t", "role", 0, 1), std::nullopt);
  EXPECT_EQ(history_.page("other", "", 0, 1), std::nullopt);
}

TEST_F(TaskHistoryTest, KeepsAsManyAsTheSenderSays) {
  auto sample = sample_of("t", 0);
  sample.history_size = 3;
  for (int i = 0; i < 10; ++i) {
    sample.metrics = R"({"n":)" + std::to_string(i) + "}";
    EXPECT_EQ(take(sample), 0U);
  }
  EXPECT_THAT(page("t"), ElementsAre(R"({"n":9})", R"({"n":8})", R"({"n":7})"));
  sample.history_size = 1;
  take(sample);
  EXPECT_THAT(page("t"), ElementsAre(R"({"n":9})"));
}

TEST_F(TaskHistoryTest, NoHistoryIsStillTheLastSample) {
  auto sample = sample_of("t", 7);
  sample.history_size = 0;
  sample.node = "host";
  sample.interval = 10;
  take(sample, 5);
  EXPECT_THAT(page("t"), IsEmpty());
  std::string document;
  render_processes_json(document, history_);
  EXPECT_EQ(document,
            R"({"processes":[{"task_id":"t","node":"host","role":"","pid":0,"connected":true,"interval":10,)"
            R"("last_seen":"2026-01-01T00:00:05.000000Z","samples":0,"last":{"n":7}}]})");
}

TEST_F(TaskHistoryTest, KeepsTheAggregateThatWasToldLast) {
  auto sample = sample_of("t", 1);
  take(sample);
  std::string document;
  render_task_page_json(document, *history_.page("t", "", 0, 10), 0, 10);
  EXPECT_EQ(document, R"({"offset":0,"limit":10,"total":1,"metrics":[{"n":1}],"aggregated":null})");
  sample.aggregated = R"({"sample_count":2})";
  take(sample);
  sample.aggregated.clear();
  take(sample);
  document.clear();
  render_task_page_json(document, *history_.page("t", "", 2, 1), 2, 1);
  EXPECT_EQ(document,
            R"({"offset":2,"limit":1,"total":3,"metrics":[{"n":1}],"aggregated":{"sample_count":2}})");
}

TEST_F(TaskHistoryTest, ATaskThatHasGoneMakesRoomTheLongestSilentFirst) {
  for (int i = 0; i < 3; ++i) take(sample_of("t" + std::to_string(i), i), 10 - i);
  TaskHistory::Told other;
  ASSERT_TRUE(history_.take(sample_of("t2", 2), other, second(8)));
  history_.leave(told_, second(20));
  // t2 is the longest silent, and still connected.
  EXPECT_EQ(take(sample_of("new", 0), 21), 1U);
  EXPECT_THAT(names(), ElementsAre("new/", "t0/", "t2/"));
}

TEST_F(TaskHistoryTest, ATaskThatIsConnectedDoesNot) {
  for (int i = 0; i < 3; ++i) take(sample_of("t" + std::to_string(i), i));
  EXPECT_EQ(take(sample_of("new", 0), 1000), std::nullopt);
  EXPECT_EQ(take(sample_of("t1", 0), 1000), 0U);
  EXPECT_THAT(names(), ElementsAre("t0/", "t1/", "t2/"));
}

TEST_F(TaskHistoryTest, ARoleThatIsSilentMakesRoom) {
  auto sample = sample_of("t", 0, "a");
  sample.interval = 10;
  take(sample, 0);
  sample.role = "b";
  take(sample, 10);
  sample.role = "c";
  EXPECT_EQ(take(sample, 30), std::nullopt);
  EXPECT_EQ(take(sample, 31), 1U);
  EXPECT_THAT(names(), ElementsAre("t/b", "t/c"));
}

TEST_F(TaskHistoryTest, WhoHasGoneMakesRoomForBytes) {
  auto sample = sample_of("gone", 0);
  sample.metrics = R"({"x":")" + std::string(8000, 'x') + R"("})";
  take(sample, 0);
  sample.role = "other";
  take(sample, 1);
  history_.leave(told_, second(2));
  sample.task_id = "t";
  sample.role = "";
  std::uint64_t dropped = 0;
  for (int i = 0; i < 7; ++i) dropped += take(sample, 3).value();
  EXPECT_EQ(dropped, 2U);
  EXPECT_THAT(names(), ElementsAre("t/"));
  EXPECT_LE(history_.size().bytes, 64U * 1024);
}

TEST_F(TaskHistoryTest, WhatIsToldAgainIsTakenOnce) {
  const auto told_by = [](const char* sender, std::uint64_t number) {
    auto sample = sample_of("t", static_cast<int>(number));
    sample.origin = {.sender_id = sender, .number = number};
    return sample;
  };
  for (const std::uint64_t number : {5U, 6U, 8U})
    EXPECT_TRUE(history_.take(told_by("a", number), told_, second(1))->is_new);
  history_.leave(told_, second(2));
  EXPECT_TRUE(history_.told_of_since(3 * kNsPerSecond).empty());
  for (const std::uint64_t number : {5U, 6U, 7U, 8U}) {
    EXPECT_FALSE(history_.take(told_by("a", number), told_, second(3))->is_new) << number;
  }
  EXPECT_THAT(page("t"), ElementsAre(R"({"n":8})", R"({"n":6})", R"({"n":5})"));
  EXPECT_EQ(history_.told_of_since(3 * kNsPerSecond).size(), 1U);  // by who tells it again
  // Of another role, by another sender, or with no number it is another sample.
  auto of_role = told_by("a", 7);
  of_role.role = "role";
  EXPECT_TRUE(history_.take(of_role, told_, second(4))->is_new);
  EXPECT_TRUE(history_.take(told_by("b", 1), told_, second(4))->is_new);
  EXPECT_TRUE(history_.take(sample_of("t", 0), told_, second(4))->is_new);
  EXPECT_FALSE(history_.take(told_by("b", 1), told_, second(4))->is_new);
}

TEST_F(TaskHistoryTest, TheLongestHistoryGivesItsOldest) {
  auto large = sample_of("large", 0);
  large.metrics = R"({"x":")" + std::string(4000, 'x') + R"("})";
  take(sample_of("small", 1), 0);
  std::uint64_t dropped = 0;
  for (int i = 0; i < 100; ++i) dropped += take(large, 1).value();
  EXPECT_THAT(page("small"), ElementsAre(R"({"n":1})"));
  const std::uint64_t left = history_.page("large", "", 0, 1)->total;
  EXPECT_GT(left, 10U);
  EXPECT_EQ(left + dropped, 100U);
  EXPECT_LE(history_.size().bytes, 64U * 1024);
}

TEST_F(TaskHistoryTest, SingleSamplesAreBoundedToo) {
  TaskHistory history({.tasks = 100, .roles = 100, .bytes = 64 * 1024});
  auto sample = sample_of("t", 0);
  sample.history_size = 0;
  sample.metrics = R"({"x":")" + std::string(8000, 'x') + R"("})";
  sample.aggregated = sample.metrics;
  for (int i = 0; i < 50; ++i) {
    sample.role = std::to_string(i);
    ASSERT_TRUE(history.take(sample, told_, second(i)));
    EXPECT_LE(history.size().bytes, 64U * 1024);
  }
  EXPECT_TRUE(history.page("t", "49", 0, 1));
  EXPECT_FALSE(history.page("t", "0", 0, 1));
}

TEST_F(TaskHistoryTest, KnowsWhoTellsOfATask) {
  TaskHistory::Told other;
  take(sample_of("t", 0), 1);
  take(sample_of("t", 1), 2);
  ASSERT_TRUE(history_.take(sample_of("t", 2), other, second(3)));
  take(sample_of("u", 0), 3);
  using Ids = std::set<std::string, std::less<>>;
  const auto told_of_since = [this](std::int64_t s) { return history_.told_of_since(s * kNsPerSecond); };
  EXPECT_EQ(told_of_since(1000), (Ids{"t", "u"}));
  history_.leave(told_, second(10));
  EXPECT_EQ(told_of_since(1000), (Ids{"t"}));
  EXPECT_EQ(told_of_since(10), (Ids{"t", "u"}));
  history_.leave(other, second(20));
  history_.leave(other, second(30));  // it told of nothing since
  EXPECT_EQ(told_of_since(20), (Ids{"t"}));
  EXPECT_EQ(told_of_since(21), (Ids{}));
}

// What one connection is said to have told of is bounded, and a task that went and came again is another one.
TEST_F(TaskHistoryTest, AConnectionRemembersTheTasksThatThereAre) {
  for (int i = 0; i < 100; ++i) {
    TaskHistory::Told brief;
    ASSERT_TRUE(history_.take(sample_of("t", i), told_, second(i)));
    history_.leave(told_, second(i));
    ASSERT_TRUE(history_.take(sample_of("u" + std::to_string(i), i), told_, second(i)));
    ASSERT_TRUE(history_.take(sample_of("t", i), brief, second(i)));
    history_.leave(brief, second(i));
    EXPECT_LE(told_.size(), 4U);
  }
}

TEST_F(TaskHistoryTest, IsForEveryThread) {
  TaskHistory history;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&history, thread] {
      TaskHistory::Told told;
      for (int i = 0; i < 500; ++i) {
        auto sample = sample_of("t", i, std::to_string(thread));
        sample.history_size = 1000;
        EXPECT_TRUE(history.take(sample, told, second(i)));
        if (i % 50 == 0) (void)history.page("t", "0", 0, 10);
      }
      history.leave(told, second(1000));
    });
  }
  std::string bytes;
  StateWriter out(bytes);
  for (int i = 0; i < 20; ++i) history.save(out, false);
  for (std::thread& thread : threads) thread.join();
  for (int thread = 0; thread < 4; ++thread) {
    EXPECT_EQ(history.page("t", std::to_string(thread), 0, 1)->total, 500U);
  }
  EXPECT_TRUE(history.told_of_since(1001 * kNsPerSecond).empty());
}

}  // namespace
}  // namespace metricsd::server
