// What is saved of tasks: what is loaded keeps in step, whatever went and came meanwhile.

#include "tasks/task_history.h"
#include "tasks/tasks_json.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

Moment second(std::int64_t s) {
  return {{(1'767'225'600 + s) * kNsPerSecond}, s * kNsPerSecond};
}

ipc::TaskSampleMessage sample_of(const std::string& task, const std::string& role, int number) {
  return {.task_id = task,
          .node = "host",
          .role = role,
          .pid = 7,
          .history_size = 10,
          .interval = 0.5,
          .metrics = R"({"n":)" + std::to_string(number) + "}"};
}

std::string saved(TaskHistory& history, bool whole) {
  std::string bytes;
  StateWriter out(bytes);
  history.save(out, whole);
  return bytes;
}

bool load(TaskHistory& history, std::string_view bytes) {
  StateReader in(bytes);
  history.load(in);
  return !in.failed() && in.at_end();
}

// All there is to see.
std::string text_of(const TaskHistory& history) {
  std::string text;
  render_processes_json(text, history);
  history.look([&text](const Tasks& tasks) {
    for (const auto& [id, task] : tasks) {
      for (const auto& [name, role] : task.roles) {
        text += "\n" + id + "/" + name + " " + role.aggregated();
        text += role.origin().sender_id + std::to_string(role.origin().number);
        for (const std::string& sample : role.page(0, limits::kTaskHistory)) text += sample;
      }
    }
  });
  return text + std::to_string(history.size().bytes);
}

TEST(TaskState, KeepsInStepWhateverComesAndGoes) {
  TaskHistory history({.tasks = 4, .roles = 3, .bytes = 32 * 1024});
  TaskHistory copy;
  ASSERT_TRUE(load(copy, saved(history, true)));
  TaskHistory::Told told;
  std::mt19937 random(17);
  std::uniform_int_distribution<int> any(0, 5);
  for (int i = 0; i < 2000; ++i) {
    auto sample = sample_of("t" + std::to_string(any(random)), std::to_string(any(random)), i);
    if (any(random) == 0) sample.history_size = static_cast<std::uint64_t>(any(random));
    if (any(random) == 0)
      sample.origin = {.sender_id = std::to_string(any(random)), .number = static_cast<std::uint64_t>(i) + 1};
    if (any(random) == 0) sample.aggregated = R"({"of":)" + std::to_string(i) + "}";
    if (any(random) == 0) sample.metrics = R"({"x":")" + std::string(4000, 'x') + R"("})";
    (void)history.take(sample, told, second(i));
    if (any(random) == 0) history.leave(told, second(i));
    if (any(random) != 0) continue;
    const std::string bytes = saved(history, any(random) == 0);
    ASSERT_TRUE(load(copy, bytes)) << i;
    ASSERT_EQ(text_of(copy), text_of(history)) << i;
    ASSERT_TRUE(load(copy, bytes)) << i;  // twice is once
    ASSERT_EQ(text_of(copy), text_of(history)) << i;
  }
  TaskHistory another;
  ASSERT_TRUE(load(another, saved(copy, true)));
  EXPECT_EQ(text_of(another), text_of(copy));
}

TEST(TaskState, OnlyWhatChangedIsWritten) {
  TaskHistory history;
  TaskHistory::Told told;
  for (int i = 0; i < 1000; ++i) {
    auto sample = sample_of("t", std::to_string(i % 10), i);
    sample.history_size = 100;
    ASSERT_TRUE(history.take(sample, told, second(i)));
  }
  const std::size_t whole = saved(history, false).size();
  EXPECT_FALSE(history.has_changed());
  ASSERT_TRUE(history.take(sample_of("t", "3", 1000), told, second(1000)));
  EXPECT_TRUE(history.has_changed());
  EXPECT_LT(saved(history, false).size(), 100U);
  EXPECT_GT(whole, 8000U);
  history.leave(told, second(1001));
  EXPECT_TRUE(history.has_changed());
}

TEST(TaskState, AnotherProcessGoesOnFromIt) {
  TaskHistory before;
  TaskHistory::Told told;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(before.take(sample_of("t", "", i), told, second(i)));
  TaskHistory left;
  ASSERT_TRUE(load(left, saved(before, true)));

  TaskHistory history;
  history.restore(left, second(100));
  EXPECT_EQ(history.page("t", "", 0, 10)->metrics, before.page("t", "", 0, 10)->metrics);
  EXPECT_TRUE(history.told_of_since(101 * kNsPerSecond).empty());
  EXPECT_EQ(history.told_of_since(100 * kNsPerSecond).size(), 1U);  // as if it had just gone

  TaskHistory::Told again;
  ASSERT_TRUE(history.take(sample_of("t", "", 5), again, second(101)));
  EXPECT_EQ(history.page("t", "", 0, 10)->total, 6U);
  TaskHistory copy;
  ASSERT_TRUE(load(copy, saved(history, true)));
  EXPECT_EQ(text_of(copy), text_of(history));
}

TEST(TaskState, AnotherProcessKnowsWhatWasTaken) {
  const auto numbered = [](int number) {
    auto sample = sample_of("t", "", number);
    sample.origin = {.sender_id = "00112233445566778899aabbccddeeff",
                     .number = static_cast<std::uint64_t>(number)};
    return sample;
  };
  TaskHistory before;
  TaskHistory copy;
  TaskHistory::Told told;
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(before.take(numbered(i), told, second(i)));
    ASSERT_TRUE(load(copy, saved(before, false)));
  }
  TaskHistory left;
  ASSERT_TRUE(load(left, saved(copy, true)));
  TaskHistory history;
  history.restore(left, second(100));
  TaskHistory::Told again;
  for (int i = 3; i <= 7; ++i) EXPECT_EQ(history.take(numbered(i), again, second(101))->is_new, i > 5) << i;
  EXPECT_EQ(history.page("t", "", 0, 10)->total, 7U);
}

TEST(TaskState, WhatFindsNoRoomIsLeftBehind) {
  TaskHistory before;
  TaskHistory::Told told;
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(before.take(sample_of("t" + std::to_string(i), "", i), told, second(i)));
  TaskHistory history({.tasks = 100, .roles = 1, .bytes = 16 * 1024});
  history.restore(before, second(60));
  EXPECT_LE(history.size().bytes, 16U * 1024);
  EXPECT_TRUE(history.page("t49", "", 0, 1));
  EXPECT_FALSE(history.page("t0", "", 0, 1));
}

TEST(TaskState, NoPartOfASaveIsOne) {
  TaskHistory history;
  TaskHistory::Told told;
  auto sample = sample_of("t", "", 0);
  sample.aggregated = R"({"a":1})";
  sample.origin = {.sender_id = "00112233445566778899aabbccddeeff", .number = 7};
  ASSERT_TRUE(history.take(sample, told, second(0)));
  ASSERT_TRUE(history.take(sample_of("t", "role", 1), told, second(1)));
  const std::string whole = saved(history, true);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    TaskHistory copy;
    EXPECT_FALSE(load(copy, std::string_view(whole).substr(0, size))) << size;
  }
}

// A checksum guards what is on the disk; this is about who writes such files on purpose.
TEST(TaskState, NoByteOfASaveIsACrash) {
  TaskHistory history;
  TaskHistory::Told told;
  ASSERT_TRUE(history.take(sample_of("t", "", 0), told, second(0)));
  ASSERT_TRUE(history.take(sample_of("t", "role", 1), told, second(1)));
  const std::string whole = saved(history, true);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      TaskHistory copy;
      if (!load(copy, damaged)) continue;
      const std::string text = text_of(copy);
      TaskHistory another;
      ASSERT_TRUE(load(another, saved(copy, true)));
      ASSERT_EQ(text_of(another), text);
    }
  }
}

TEST(TaskState, OnlyNamesThatAreTextAreLoaded) {
  TaskHistory history;
  TaskHistory::Told told;
  ASSERT_TRUE(history.take(sample_of("the task", "the role", 1), told, second(1)));
  const std::string bytes = saved(history, true);
  for (const std::string name : {"the task", "the role", "host"}) {
    std::string damaged = bytes;
    const auto place = damaged.find(name);
    ASSERT_NE(place, std::string::npos) << name;
    damaged[place] = '\xD4';
    TaskHistory other;
    EXPECT_FALSE(load(other, damaged)) << name;
  }
}

TEST(TaskState, OnlyObjectsAreLoaded) {
  TaskHistory history;
  TaskHistory::Told told;
  auto sample = sample_of("t", "", 0);
  sample.metrics = R"([1,2])";  // as no decoder gives it
  ASSERT_TRUE(history.take(sample, told, second(0)));
  TaskHistory copy;
  EXPECT_FALSE(load(copy, saved(history, true)));
}

}  // namespace
}  // namespace metricsd::server
