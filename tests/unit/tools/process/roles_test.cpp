// Who plays which role, and what becomes of too many of them.
#include "role_book.h"
#include "role_rules.h"

#include <metricsd/models/labels.h>

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

using namespace std::string_view_literals;

RoleRules rules_of(std::initializer_list<std::string_view> texts) {
  RoleRules rules;
  for (const std::string_view text : texts) EXPECT_TRUE(rules.add(text)) << text;
  return rules;
}

TEST(RoleRules, FitNobodyWithoutRules) {
  const RoleRules rules;
  EXPECT_EQ(rules.find(1, "init", "init\0"sv), "");
  EXPECT_FALSE(rules.has_patterns());
}

TEST(RoleRules, FitAPid) {
  const RoleRules rules = rules_of({"4711=server"});
  EXPECT_EQ(rules.find(4711, "x", ""), "server");
  EXPECT_EQ(rules.find(471, "4711", "4711\0"sv), "");
  EXPECT_FALSE(rules.has_patterns());
}

TEST(RoleRules, FitANameAPathAndACommandLine) {
  const RoleRules rules = rules_of({"worker-with-a-very-long-name=long", "py*=python", "* --port=80=web"});
  EXPECT_TRUE(rules.has_patterns());
  EXPECT_EQ(rules.find(1, "python3", ""), "python");
  EXPECT_EQ(rules.find(1, "worker-with-a-v", "/opt/worker-with-a-very-long-name\0-x\0"sv), "long");
  EXPECT_EQ(rules.find(1, "srv", "/usr/bin/srv\0--port=80\0"sv), "web");
  EXPECT_EQ(rules.find(1, "srv", "/usr/bin/srv\0--port=81\0"sv), "");
}

TEST(RoleRules, TheFirstThatFits) {
  const RoleRules rules = rules_of({"a*=first", "*=second"});
  EXPECT_EQ(rules.find(1, "ab", ""), "first");
  EXPECT_EQ(rules.find(1, "b", ""), "second");
}

TEST(RoleRules, RefuseWhatIsNone) {
  RoleRules rules;
  for (const char* text : {"", "=", "a", "a=", "=role"})
    EXPECT_EQ(rules.add(text).error(), Errc::missing_field) << text;
  EXPECT_EQ(rules.add("a=" + std::string(65, 'r')).error(), Errc::too_long);
  EXPECT_EQ(rules.add("a=\xFF").error(), Errc::invalid_characters);
  EXPECT_TRUE(rules.add("a=" + std::string(64, 'r')));
  EXPECT_TRUE(rules.add("-5=negative")) << "a pattern";
}

TEST(RoleBook, FindsTheSameAgain) {
  RoleBook book;
  const std::size_t first = book.find("make", {});
  EXPECT_EQ(book.find("make", {}), first);
  EXPECT_NE(book.find("cc1plus", {}), first);
  EXPECT_EQ(book[book.find("", {})].name, "unknown");
}

TEST(RoleBook, HasRoomForSoManyAndTheRest) {
  RoleBook book;
  for (std::size_t role = 0; role < 100; ++role) (void)book.find("role" + std::to_string(role), {});
  EXPECT_EQ(book.size(), kRoles);
  EXPECT_EQ(book[kRoles - 1].name, kOverflowLabel);
  EXPECT_EQ(book.find("another", {}), kRoles - 1);
  EXPECT_EQ(book.find("role0", {}), 0U);
}

}  // namespace
}  // namespace metricsd::tools
