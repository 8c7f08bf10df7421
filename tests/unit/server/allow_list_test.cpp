#include "ingest/allow_list.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace metricsd::server {
namespace {

using ::testing::HasSubstr;

constexpr uid_t kOwn = 1000;
constexpr uid_t kOther = 1001;
constexpr gid_t kSocketGroup = 500;
constexpr gid_t kOtherGroup = 501;

AllowList make(std::vector<std::string> users, std::vector<std::string> groups) {
  std::string explanation;
  auto list = AllowList::make(
      {.users = std::move(users), .groups = std::move(groups), .own_uid = kOwn, .socket_group = kSocketGroup},
      explanation);
  EXPECT_TRUE(list) << explanation;
  return *std::move(list);
}

bool allows_group(const AllowList& list, gid_t group) {
  const std::array<gid_t, 2> groups{77, group};
  return list.allows_one_of(groups);
}

TEST(AllowList, ByItselfIsTheOwnUserRootAndTheSocketsGroup) {
  const AllowList list = make({}, {});
  EXPECT_TRUE(list.allows_user(kOwn));
  EXPECT_TRUE(list.allows_user(0));
  EXPECT_FALSE(list.allows_user(kOther));
  EXPECT_TRUE(allows_group(list, kSocketGroup));
  EXPECT_FALSE(allows_group(list, kOtherGroup));
}

TEST(AllowList, NamesReplaceTheSocketsGroupAndNeverTheOwnUser) {
  for (const AllowList& list : {make({"1001"}, {}), make({}, {"501"}), make({"1001"}, {"501"})}) {
    EXPECT_TRUE(list.allows_user(kOwn));
    EXPECT_TRUE(list.allows_user(0));
    EXPECT_FALSE(allows_group(list, kSocketGroup));
  }
  EXPECT_TRUE(make({"1001"}, {}).allows_user(kOther));
  EXPECT_FALSE(make({"1001"}, {}).allows_user(1002));
  EXPECT_TRUE(allows_group(make({}, {"501"}), kOtherGroup));
}

TEST(AllowList, AStarIsEveryone) {
  EXPECT_TRUE(make({"*"}, {}).allows_user(kOther));
}

TEST(AllowList, SaysWhoIsNotThere) {
  std::string explanation;
  EXPECT_EQ(AllowList::make({.users = {"no such user"}, .groups = {}}, explanation).error(),
            Errc::account_not_found);
  EXPECT_THAT(explanation, HasSubstr("--socket.allow-uid: no user \"no such user\""));
  EXPECT_EQ(AllowList::make({.users = {}, .groups = {"no such group"}}, explanation).error(),
            Errc::account_not_found);
  EXPECT_THAT(explanation, HasSubstr("--socket.allow-group: no group \"no such group\""));
}

// The kernel's word, of a pair of sockets: this process is at both ends.
TEST(AllowList, LooksAtThePeersUserGroupAndFurtherGroups) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const UniqueFd one(pair[0]);
  const UniqueFd other(pair[1]);
  const ipc::PeerCredentials peer = ipc::peer_credentials(one.get()).value();
  EXPECT_EQ(peer.uid, ::geteuid());
  EXPECT_TRUE(make({std::to_string(peer.uid)}, {}).allows(peer, one.get()));
  EXPECT_TRUE(make({}, {std::to_string(peer.gid)}).allows(peer, one.get()));

  const ipc::PeerCredentials stranger{.pid = peer.pid, .uid = kOther, .gid = 65'000};
  EXPECT_FALSE(make({"1002"}, {}).allows(stranger, one.get()));
  for (const gid_t group : ipc::peer_groups(one.get()).value()) {
    EXPECT_TRUE(make({}, {std::to_string(group)}).allows(stranger, one.get()));
  }
}

}  // namespace
}  // namespace metricsd::server
