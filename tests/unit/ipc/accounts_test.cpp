#include <metricsd/ipc/accounts.h>

#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

TEST(Accounts, AreKnownByNameAndByNumber) {
  EXPECT_EQ(user_id("root").value(), 0U);
  EXPECT_EQ(group_id("root").value(), 0U);
  EXPECT_EQ(user_id("4242").value(), 4242U);  // whoever that is
  EXPECT_EQ(group_id("4242").value(), 4242U);
}

TEST(Accounts, ThatAreNotThereAreErrors) {
  for (const char* text : {"", "no such account", "-1", "1x", "4294967295", "4294967296"}) {
    EXPECT_EQ(user_id(text).error(), Errc::account_not_found) << text;
    EXPECT_EQ(group_id(text).error(), Errc::account_not_found) << text;
  }
}

}  // namespace
}  // namespace metricsd::ipc
