#include <metricsd/exporters/member_record.h>

#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

constexpr Timestamp kNoon{1'767'268'800 * kNsPerSecond};

MemberRecord member(std::int64_t start_s, std::int64_t end_s, std::uint64_t users) {
  return {.client_id = "c" + std::to_string(start_s),
          .pid = 42,
          .start_time = {kNoon.ns + start_s * kNsPerSecond},
          .end_time = {kNoon.ns + end_s * kNsPerSecond},
          .users = users,
          .recorded = 10,
          .dropped = {{"socket", {{"no_daemon", users}}}}};
}

TEST(MemberRecord, ComesBackFromItsLine) {
  std::string content;
  append_member(content, member(1, 2, 3));
  ASSERT_EQ(content.back(), '\n');
  const auto members = parse_members(content);
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].client_id, "c1");
  EXPECT_EQ(members[0].pid, 42);
  EXPECT_EQ(members[0].start_time, member(1, 2, 3).start_time);
  EXPECT_EQ(members[0].end_time, member(1, 2, 3).end_time);
  EXPECT_EQ(members[0].users, 3U);
  EXPECT_EQ(members[0].recorded, 10U);
  EXPECT_EQ(members[0].dropped, member(1, 2, 3).dropped);
}

TEST(MemberRecord, PassesOverLinesThatAreNone) {
  std::string content = "{\"client\n[]\n\n{}\n";
  append_member(content, member(1, 2, 3));
  content += R"({"client_id":7,"start_time":"x","dropped":[]})";
  EXPECT_EQ(parse_members(content).size(), 1U);
}

TEST(MemberRecord, BearsAnyPrefixOfItsLine) {
  std::string line;
  append_member(line, member(1, 2, 3));
  for (std::size_t size = 0; size + 1 < line.size(); ++size) {
    EXPECT_TRUE(parse_members(line.substr(0, size)).empty()) << size;
  }
}

TEST(MemberRecord, WhoRecordedNothingDoesNotDrawOutTheEnd) {
  metricsd::Run run;
  MemberRecord parent = member(1, 60, 0);
  parent.recorded = 0;
  static_cast<void>(merge_members({parent, member(2, 9, 4)}, run));
  EXPECT_EQ(run.end_time, Timestamp{kNoon.ns + 9 * kNsPerSecond});
  metricsd::Run idle;
  static_cast<void>(merge_members({parent}, idle));
  EXPECT_EQ(idle.end_time, Timestamp{kNoon.ns + 60 * kNsPerSecond});
}

TEST(MemberRecord, MergesToEarliestLatestAndSums) {
  metricsd::Run run;
  run.start_time = Timestamp{kNoon.ns + 3 * kNsPerSecond};
  run.num_users = 99;
  const DropCounts dropped = merge_members({member(2, 9, 4), member(1, 5, 6)}, run);
  EXPECT_EQ(run.start_time, Timestamp{kNoon.ns + 1 * kNsPerSecond});
  EXPECT_EQ(run.end_time, Timestamp{kNoon.ns + 9 * kNsPerSecond});
  EXPECT_EQ(run.num_users, 10U);
  const DropCounts expected{{"socket", {{"no_daemon", 10}}}};
  EXPECT_EQ(dropped, expected);
}

}  // namespace
}  // namespace metricsd::exporters
