#include "pid_stat.h"

#include "kernel_files.h"
#include "proc_tree.h"

#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

const FakeProcess kProcess{.pid = 4711,
                           .parent = 4700,
                           .comm = "worker",
                           .state = 'R',
                           .user = 12,
                           .system = 34,
                           .children_user = 56,
                           .children_system = 78,
                           .threads = 5,
                           .start = 987654,
                           .virtual_bytes = 8192,
                           .resident_pages = 3,
                           .stack_start = 140'735'000'000'000};

TEST(PidStat, HasEveryField) {
  const std::string text = stat_text(kProcess);
  const auto stat = decode_pid_stat(text);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "worker");
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->parent, 4700);
  EXPECT_EQ(stat->user_ticks, 12U);
  EXPECT_EQ(stat->system_ticks, 34U);
  EXPECT_EQ(stat->children_user_ticks, 56U);
  EXPECT_EQ(stat->children_system_ticks, 78U);
  EXPECT_EQ(stat->threads, 5U);
  EXPECT_EQ(stat->start_ticks, 987654U);
  EXPECT_EQ(stat->virtual_bytes, 8192U);
  EXPECT_EQ(stat->resident_pages, 3U);
  EXPECT_EQ(stat->stack_start, 140'735'000'000'000U);
}

TEST(PidStat, TakesAnyName) {
  for (const char* name :
       {"", " ", "a b", "(", ")", ") R 1 1 1", "a)b(c", "two\nlines", "\xFF\xFE", ")) S 0 ("}) {
    FakeProcess process = kProcess;
    process.comm = name;
    const std::string text = stat_text(process);
    const auto stat = decode_pid_stat(text);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->comm, name);
    EXPECT_EQ(stat->parent, 4700) << name;
    EXPECT_EQ(stat->start_ticks, 987654U) << name;
  }
}

TEST(PidStat, IsNothingWhereItIsCutOff) {
  const std::string text = stat_text(kProcess);
  const std::size_t stack = text.find("140735000000000");
  for (std::size_t size = 0; size <= stack; ++size) {
    EXPECT_FALSE(decode_pid_stat(std::string_view(text).substr(0, size))) << size;
  }
}

TEST(PidStat, IsNothingWhereANumberIsNone) {
  for (const char* user : {"x", "-1", "1.5", "99999999999999999999", "9007199254740993", "0x10"}) {
    std::string text = stat_text(kProcess);
    text.replace(text.find(" 12 "), 4, std::string(" ") + user + " ");
    EXPECT_FALSE(decode_pid_stat(text)) << user;
  }
}

TEST(PidStat, TakesTheGreatestNumbersItCanTell) {
  FakeProcess process = kProcess;
  process.user = 9'007'199'254'740'992;
  process.stack_start = 18'446'744'073'709'551'615U;
  const auto stat = decode_pid_stat(stat_text(process));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->user_ticks, 9'007'199'254'740'992U);
  EXPECT_EQ(stat->stack_start, 18'446'744'073'709'551'615U);
}

TEST(PidStat, TakesWhatIsBelowZeroForNothing) {
  std::string text = stat_text(kProcess);
  text.replace(text.find(" 56 "), 4, " -56 ");
  const auto stat = decode_pid_stat(text);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->children_user_ticks, 0U);
}

TEST(PidStat, KnowsWhoHasEnded) {
  const auto is_zombie = [](char state, std::uint64_t threads) {
    FakeProcess process = kProcess;
    process.state = state;
    process.threads = threads;
    return decode_pid_stat(stat_text(process)).value().is_zombie();
  };
  EXPECT_TRUE(is_zombie('Z', 1));
  EXPECT_TRUE(is_zombie('Z', 0));
  EXPECT_TRUE(is_zombie('X', 1));
  EXPECT_FALSE(is_zombie('Z', 4)) << "its first thread alone has ended";
  EXPECT_FALSE(is_zombie('D', 1));
}

TEST(PidStat, IsThisProcesss) {
  KernelFiles proc("/proc");
  const auto text = proc.read("self/stat");
  ASSERT_TRUE(text);
  const auto stat = decode_pid_stat(*text);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_GE(stat->threads, 1U);
  EXPECT_GT(stat->resident_pages, 0U);
  EXPECT_GT(stat->stack_start, 0U);
}

}  // namespace
}  // namespace metricsd::tools
