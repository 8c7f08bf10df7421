#include "forgotten_clients.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(ForgottenClients, AreKnownByTheirUserAndId) {
  ForgottenClients forgotten;
  forgotten.add(1, "a");
  forgotten.add(1, "a");  // again
  forgotten.add(2, "b");
  EXPECT_EQ(forgotten.size(), 2U);
  EXPECT_TRUE(forgotten.has(1, "a"));
  EXPECT_FALSE(forgotten.has(2, "a"));
  forgotten.remove(1, "a");
  forgotten.remove(1, "b");
  EXPECT_FALSE(forgotten.has(1, "a"));
  EXPECT_TRUE(forgotten.has(2, "b"));
  forgotten.clear();
  EXPECT_EQ(forgotten.size(), 0U);
}

TEST(ForgottenClients, OfTheUserWithTheMostTheOldestGoes) {
  ForgottenClients forgotten(10);
  forgotten.add(1, "first");
  for (int i = 0; i < 100; ++i) forgotten.add(2, std::to_string(i));
  EXPECT_EQ(forgotten.size(), 10U);
  EXPECT_TRUE(forgotten.has(1, "first"));
  EXPECT_FALSE(forgotten.has(2, "90"));
  EXPECT_TRUE(forgotten.has(2, "91"));
  std::vector<std::string> of_two;
  forgotten.for_each([&](uid_t uid, const std::string& id) {
    if (uid == 2) of_two.push_back(id);
  });
  EXPECT_EQ(of_two.front(), "91");
  EXPECT_EQ(of_two.back(), "99");
}

}  // namespace
}  // namespace metricsd::server
