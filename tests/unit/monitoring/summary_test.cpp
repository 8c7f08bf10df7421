#include "summary.h"

#include <algorithm>
#include <cstddef>
#include <deque>

#include <gmock/gmock.h>

namespace metricsd::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

class SummaryTest : public testing::Test {
 protected:
  SummaryTest() {
    task_.job_name = "build_1767225600";
    task_.profile = *find_profile("standard");
    for (int i = 0; i < 4; ++i) {
      tree_.total.cpu_user_seconds = i;
      tree_.total.memory_usage_bytes = 1 << 20;
      tree_.total.disk_read_bytes = 512U * static_cast<unsigned>(i);
      tree_.total.disk_write_bytes = 0;
      tree_.total.cpu_usage_percent = 100;
      course_.aggregates.total.add(tree_.total, i * kNsPerSecond, 0);
      course_.cpu.add(100);
    }
    course_.most_processes = 3;
    add_role("cc\x1B[2J", 2);
    add_role("make", 1);
  }

  void add_role(std::string_view name, double cpu_seconds) {
    ProcessSample sample;
    sample.cpu_user_seconds = cpu_seconds;
    sample.memory_usage_bytes = 2048;
    tree_.roles.push_back({.role = name, .sample = sample, .start_time_seconds = 0});
    Aggregate aggregate;
    aggregate.add(sample, 0, 0);
    course_.aggregates.roles.emplace(std::string(name), aggregate);
    course_.most_processes_of[std::string(name)] = 2;
  }

  [[nodiscard]] std::string render(const TerminalStyle& style = {}) const {
    return render_summary({task_, course_, &tree_, 3.5, "exit 0"}, style);
  }

  Task task_;
  Course course_;
  TreeSample tree_;
  std::deque<std::string> names_;
};

TEST_F(SummaryTest, SaysWhatItCost) {
  const std::string text = render();
  EXPECT_THAT(text, HasSubstr("build_1767225600: exit 0\n"));
  EXPECT_THAT(text, HasSubstr("  wall     3.50 s\n"));
  EXPECT_THAT(text, HasSubstr("  cpu      3.00 s (3.00 user, 0 system), 100 % of a core, 100 % at most\n"));
  EXPECT_THAT(text, HasSubstr("  memory   1.00 MiB at most, 1.00 MiB on average\n"));
  EXPECT_THAT(text, HasSubstr("  disk     1.50 KiB read, 0 B written\n"));
  EXPECT_THAT(text, HasSubstr("  network  - received, - sent, by namespace\n"));
  EXPECT_THAT(text, HasSubstr("  samples  4, of 3 processes at most\n"));
}

TEST_F(SummaryTest, RolesAreByCpuTimeAndHarmless) {
  const std::string text = render();
  EXPECT_LT(text.find("cc?[2J"), text.find("make"));
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
}

TEST_F(SummaryTest, ManyRolesAreCut) {
  for (int i = 0; i < 20; ++i) names_.push_back("role" + std::to_string(i));
  for (const std::string& name : names_) add_role(name, 0.1);
  EXPECT_THAT(render(), HasSubstr("  and 6 roles with less CPU time\n"));
}

TEST_F(SummaryTest, WhatIsNotCollectedIsNotSaid) {
  task_.profile = *find_profile("minimal");
  const std::string text = render();
  EXPECT_THAT(text, HasSubstr("  memory "));
  for (const char* word : {"disk", "network", "written"}) EXPECT_THAT(text, Not(HasSubstr(word)));
}

TEST_F(SummaryTest, ATerminalGetsColoursAndBlocksItCanShow) {
  EXPECT_THAT(render({.colour = true, .blocks = true}), HasSubstr("\x1B[36m████\x1B[0m"));
  EXPECT_THAT(render({.colour = false, .blocks = true}), HasSubstr("           ████\n"));
  EXPECT_THAT(render({.colour = true, .blocks = false}), Not(HasSubstr("█")));
}

TEST_F(SummaryTest, LinesFitTheTerminal) {
  for (int i = 0; i < 60; ++i) course_.cpu.add(100);
  const std::string text = render({.blocks = true, .columns = 40});
  const std::string lines = text.substr(0, text.find("\n\n") + 1);  // the table is as wide as its names
  std::ptrdiff_t longest = 0;
  for (auto begin = lines.begin(); begin != lines.end();) {
    const auto end = std::find(begin, lines.end(), '\n');
    longest =
        std::max(longest, std::count_if(begin, end, [](unsigned char c) { return (c & 0xC0) != 0x80; }));
    begin = end + 1;
  }
  EXPECT_LE(longest, 40) << text;
  EXPECT_THAT(text, HasSubstr("  network  - received, - sent,\n           by namespace\n"));
  EXPECT_THAT(text, HasSubstr(" at most,\n           1.00 MiB on average\n"));
  EXPECT_THAT(text, HasSubstr("           █████████████████████████████\n"));
}

TEST_F(SummaryTest, WhatCouldNotBeReadIsSaid) {
  tree_.faults.denied = 3;
  EXPECT_THAT(render(), HasSubstr("  unread   3 of other users\n"));
  tree_.faults.lost = 1;
  EXPECT_THAT(render(), HasSubstr("  unread   3 of other users, 1 that ended with their last figures\n"));
}

TEST_F(SummaryTest, OfTheMachineOnly) {
  EXPECT_EQ(render_summary({task_, course_, nullptr, 2, ""}, {}), "build_1767225600\n  wall     2.00 s\n");
}

TEST(BytesText, HasThreeDigitsThatMatter) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1,023 B");
  EXPECT_EQ(bytes_text(1024), "1.00 KiB");
  EXPECT_EQ(bytes_text(1.5 * (1 << 30)), "1.50 GiB");
}

}  // namespace
}  // namespace metricsd::tools
