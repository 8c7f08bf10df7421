#include "unix_socket.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/temporary_directory.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;
constexpr int kPatienceMs = 60'000;  // longer than any machine needs; no test waits for it to pass

// A daemon that takes one connection, reads one line of it, and then does what it is told. Joined when it
// goes.
class FakeDaemon {
 public:
  FakeDaemon(const Endpoint& endpoint, std::function<void(int connection, const std::string& request)> answer)
      : thread_([listener = endpoint.listener(), answer = std::move(answer)] { serve(listener, answer); }) {}
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon() { thread_.join(); }

 private:
  static void serve(int listener, const std::function<void(int, const std::string&)>& answer) {
    pollfd entry{listener, POLLIN, 0};
    if (::poll(&entry, 1, kPatienceMs) != 1) return;
    const UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    char byte = 0;
    while (::recv(connection.get(), &byte, 1, 0) == 1 && byte != '\n') request.push_back(byte);
    answer(connection.get(), request);
  }

  std::thread thread_;
};

void send_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

class ConnectionTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name = "metricsd.sock") const {
    return directory_.path() / name;
  }
  [[nodiscard]] Result<UniqueFd> connect(const std::vector<fs::path>& paths) const {
    return connect_to_daemon(paths, ::geteuid());
  }
  [[nodiscard]] Result<std::string> status(int timeout_ms = kPatienceMs) const {
    return request_status(std::vector<fs::path>{path()}, ::geteuid(), timeout_ms);
  }

  support::TemporaryDirectory directory_;
};

TEST_F(ConnectionTest, FindsNoDaemonWhereNoneIs) {
  EXPECT_EQ(connect({}).error(), Errc::no_daemon);
  EXPECT_EQ(connect({path(), "/no/such/directory/socket"}).error(), Errc::no_daemon);
  EXPECT_EQ(connect({"", std::string(200, 'x')}).error(), Errc::no_daemon);
  ASSERT_TRUE(bind_unix_socket(open_unix_socket()->get(), path()));
  EXPECT_EQ(connect({path()}).error(), Errc::no_daemon) << "a stale socket";
}

TEST_F(ConnectionTest, TakesTheFirstThatAnswers) {
  const auto second = Endpoint::claim({path("second"), 0600, ""});
  const auto third = Endpoint::claim({path("third"), 0600, ""});
  ASSERT_TRUE(second && third);
  const auto connection = connect({path("first"), path("second"), path("third")});
  ASSERT_TRUE(connection);
  EXPECT_GE(UniqueFd(::accept(second->listener(), nullptr, nullptr)).get(), 0);
  EXPECT_LT(UniqueFd(::accept(third->listener(), nullptr, nullptr)).get(), 0);
}

TEST_F(ConnectionTest, NeverWaitsForADaemonThatIsTooBusy) {
  const auto busy = open_unix_socket();
  ASSERT_TRUE(busy && bind_unix_socket(busy->get(), path()));
  ASSERT_EQ(::listen(busy->get(), 0), 0);
  std::vector<UniqueFd> waiting;
  while (auto connection = connect({path()})) waiting.push_back(*std::move(connection));
  EXPECT_FALSE(waiting.empty());
  EXPECT_EQ(connect({path()}).error(), Errc::no_daemon);
}

TEST_F(ConnectionTest, KnowsThePeersFurtherGroups) {
  const auto endpoint = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(endpoint);
  const auto client = connect({path()});
  ASSERT_TRUE(client);
  const UniqueFd accepted(::accept4(endpoint->listener(), nullptr, nullptr, SOCK_CLOEXEC));
  std::vector<gid_t> own(static_cast<std::size_t>(::getgroups(0, nullptr)));
  ASSERT_GE(::getgroups(static_cast<int>(own.size()), own.data()), 0);
  EXPECT_THAT(peer_groups(accepted.get()).value(), ::testing::UnorderedElementsAreArray(own));
  EXPECT_FALSE(peer_groups(-1));
}

// However many they are: more than fit at first.
TEST_F(ConnectionTest, KnowsAllOfManyGroups) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs to choose its groups";
  std::vector<gid_t> before(static_cast<std::size_t>(::getgroups(0, nullptr)));
  ASSERT_GE(::getgroups(static_cast<int>(before.size()), before.data()), 0);
  std::vector<gid_t> many(1000);
  std::iota(many.begin(), many.end(), gid_t{50'000});
  ASSERT_EQ(::setgroups(many.size(), many.data()), 0);
  std::array<int, 2> pair{};
  const int made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
  ASSERT_EQ(::setgroups(before.size(), before.data()), 0);
  ASSERT_EQ(made, 0);
  const UniqueFd one(pair[0]);
  const UniqueFd other(pair[1]);
  EXPECT_THAT(peer_groups(one.get()).value(), ::testing::UnorderedElementsAreArray(many));
}

// A listener whose kernel-known owner is neither root nor `own_uid`.
class ForeignDaemonTest : public ConnectionTest {
 protected:
  void SetUp() override {
    listener_ = *open_unix_socket();
    ASSERT_TRUE(bind_unix_socket(listener_.get(), path("foreign")));
    const uid_t self = ::geteuid();
    ASSERT_EQ(::seteuid(self == 0 ? kNobody : self), 0);
    const int listening = ::listen(listener_.get(), 16);
    ASSERT_EQ(::seteuid(self), 0);
    ASSERT_EQ(listening, 0);
    own_uid_ = self == 0 ? 0 : self + 1;
  }

  UniqueFd listener_;
  uid_t own_uid_ = 0;
};

TEST_F(ForeignDaemonTest, IsNotTrusted) {
  const std::vector<fs::path> paths{path("foreign")};
  EXPECT_EQ(connect_to_daemon(paths, own_uid_).error(), Errc::endpoint_untrusted);
  EXPECT_EQ(request_status(paths, own_uid_, kPatienceMs).error(), Errc::endpoint_untrusted);
}

TEST_F(ForeignDaemonTest, IsTrustedByItsOwnUser) {
  const std::vector<fs::path> paths{path("foreign")};
  EXPECT_TRUE(connect_to_daemon(paths, ::geteuid() == 0 ? kNobody : ::geteuid()));
}

TEST_F(ForeignDaemonTest, DoesNotHideATrustedOneBehindIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs daemons of two users";
  const auto trusted = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(trusted);
  EXPECT_TRUE(connect({path("foreign"), path()}));
}

TEST_F(ConnectionTest, AsksForTheStatus) {
  const auto endpoint = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(endpoint);
  std::string asked;
  {
    const FakeDaemon daemon(*endpoint, [&](int connection, const std::string& request) {
      asked = request;
      send_text(connection, "{\"ready\":");
      send_text(connection, "true}\nmore\n");
    });
    const auto answer = status();
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(*answer, "{\"ready\":true}");
  }
  EXPECT_EQ(asked, R"({"type":"status"})");
}

TEST_F(ConnectionTest, TakesALongAnswer) {
  const auto endpoint = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(endpoint);
  const std::string text(3'000'000, 's');
  const FakeDaemon daemon(*endpoint,
                          [&](int connection, const std::string&) { send_text(connection, text + "\n"); });
  const auto answer = status();
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(*answer, text);
}

TEST_F(ConnectionTest, TakesNoAnswerWithoutBounds) {
  const auto endpoint = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(endpoint);
  const FakeDaemon daemon(*endpoint, [](int connection, const std::string&) {
    send_text(connection, std::string(limits::kStatusReply + 2, 's'));
  });
  EXPECT_EQ(status().error(), Errc::line_too_long);
}

TEST_F(ConnectionTest, TellsOfADaemonThatHangsUp) {
  const auto endpoint = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(endpoint);
  const FakeDaemon daemon(*endpoint,
                          [](int connection, const std::string&) { send_text(connection, "{\"rea"); });
  EXPECT_EQ(status().error(), Errc::half_line);
}

TEST_F(ConnectionTest, WaitsNoLongerThanItMay) {
  const auto endpoint = Endpoint::claim({path(), 0600, ""});
  ASSERT_TRUE(endpoint);  // connects by the kernel's hand; nobody accepts
  EXPECT_EQ(status(20).error(), Errc::timed_out);
  EXPECT_EQ(status(0).error(), Errc::timed_out);
}

}  // namespace
}  // namespace metricsd::ipc
