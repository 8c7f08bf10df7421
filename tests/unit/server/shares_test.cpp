#include "shares.h"

#include <metricsd/models/limits.h>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(Shares, TogetherTakeNoMoreThanIsFree) {
  for (const std::size_t limit : {64U, 256U, 1024U, 20'000U, 1'048'576U}) {
    const DescriptorShares shares = share_descriptors(limit, 20);
    EXPECT_LE(shares.ingest + shares.http + 2 * shares.segments, limit - 20) << limit;
    EXPECT_GE(shares.ingest, shares.http) << limit;
  }
}

TEST(Shares, LeaveEachSideAConnectionWhereNothingIsFree) {
  const DescriptorShares shares = share_descriptors(16, 20);
  EXPECT_EQ(shares.ingest, 1U);
  EXPECT_EQ(shares.http, 1U);
  EXPECT_EQ(shares.segments, 0U);
}

TEST(Shares, EndAtTheLimits) {
  const DescriptorShares shares = share_descriptors(100'000'000, 20);
  EXPECT_EQ(shares.ingest, limits::kIngestConnections);
  EXPECT_EQ(shares.http, limits::kHttpConnections);
  EXPECT_EQ(shares.segments, limits::kIngestConnections);
}

TEST(Shares, LeaveTheOthersAPartOfTheConnections) {
  const UserLimitPair pair = user_limits({}, 1000);
  EXPECT_EQ(pair.others.connections, 750U);
  EXPECT_EQ(pair.others.bytes_per_second, limits::kUserBytes);
  EXPECT_EQ(pair.owner.connections, UserLimit::kNone);
  EXPECT_EQ(pair.owner.bytes_per_second, UserLimit::kNone);
  EXPECT_EQ(user_limits({}, 1).others.connections, 1U);
}

TEST(Shares, AreTheConfigurationsForEveryUserWhereItNamesThem) {
  Config config;
  config.user_connections = 5;
  config.user_bytes_per_second = 70'000;
  const UserLimitPair pair = user_limits(config, 1000);
  EXPECT_EQ(pair.others.connections, 5U);
  EXPECT_EQ(pair.owner.connections, 5U);
  EXPECT_EQ(pair.others.bytes_per_second, 70'000U);
  EXPECT_EQ(pair.owner.bytes_per_second, 70'000U);
}

}  // namespace
}  // namespace metricsd::server
