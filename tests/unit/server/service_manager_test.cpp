#include "service_manager.h"

#include <metricsd/support/temporary_directory.h>

#include <array>
#include <cstring>
#include <map>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace metricsd::server {
namespace {

constexpr pid_t kOwnPid = 17;

ServiceManager make(std::map<std::string, std::string> variables) {
  return {[variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(std::string(name));
            return found == variables.end() ? std::nullopt : std::optional(found->second);
          },
          kOwnPid};
}

// A bound datagram socket, as the manager has it.
UniqueFd listen_at(const std::string& name) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
  return fd;
}

std::string received(const UniqueFd& fd) {
  std::array<char, 256> text{};
  const ssize_t size = ::recv(fd.get(), text.data(), text.size(), 0);
  return size < 0 ? "nothing" : std::string(text.data(), static_cast<std::size_t>(size));
}

TEST(ServiceManager, IsNobodyWithoutItsVariables) {
  ServiceManager nobody = make({});
  nobody.notify("READY=1");
  EXPECT_EQ(nobody.watchdog_ns(), std::nullopt);
  EXPECT_EQ(nobody.listeners(), 0);
  EXPECT_EQ(nobody.take_listener().error(), Errc::endpoint_unusable);
}

TEST(ServiceManager, IsToldAtAPath) {
  const support::TemporaryDirectory directory;
  const std::string path = (directory.path() / "notify").string();
  const UniqueFd socket = listen_at(path);
  const ServiceManager manager = make({{"NOTIFY_SOCKET", path}});
  manager.notify("READY=1\nSTATUS=up");
  EXPECT_EQ(received(socket), "READY=1\nSTATUS=up");
}

TEST(ServiceManager, IsToldInTheAbstractNameSpace) {
  const support::TemporaryDirectory directory;  // for a name that nobody else has
  const std::string name = directory.path().filename().string();
  const UniqueFd socket = listen_at(std::string(1, '\0') + name);
  make({{"NOTIFY_SOCKET", "@" + name}}).notify("STOPPING=1");
  EXPECT_EQ(received(socket), "STOPPING=1");
}

TEST(ServiceManager, ThatIsNotThereOrCannotBeIsNoTrouble) {
  make({{"NOTIFY_SOCKET", "/nowhere/at/all"}}).notify("READY=1");
  make({{"NOTIFY_SOCKET", std::string(1000, 'x')}}).notify("READY=1");
  make({{"NOTIFY_SOCKET", ""}}).notify("READY=1");
}

TEST(ServiceManager, ThatReadsNothingIsNotWaitedFor) {
  const support::TemporaryDirectory directory;
  const std::string path = (directory.path() / "notify").string();
  const UniqueFd socket = listen_at(path);
  const ServiceManager manager = make({{"NOTIFY_SOCKET", path}});
  for (int i = 0; i < 10'000; ++i) manager.notify("WATCHDOG=1");
  EXPECT_EQ(received(socket), "WATCHDOG=1");
}

TEST(ServiceManager, HasAWatchdogForThisProcess) {
  EXPECT_EQ(make({{"WATCHDOG_USEC", "30000000"}}).watchdog_ns(), 30'000'000'000);
  EXPECT_EQ(make({{"WATCHDOG_USEC", "5"}, {"WATCHDOG_PID", "17"}}).watchdog_ns(), 5000);
  EXPECT_EQ(make({{"WATCHDOG_USEC", "5"}, {"WATCHDOG_PID", "18"}}).watchdog_ns(), std::nullopt);
  for (const char* text : {"", "0", "-1", "soon", "9223372036854775807"}) {
    EXPECT_EQ(make({{"WATCHDOG_USEC", text}}).watchdog_ns(), std::nullopt) << text;
  }
}

TEST(ServiceManager, HandsOverOneSocketOnce) {
  ServiceManager manager = make({{"LISTEN_FDS", "1"}, {"LISTEN_PID", "17"}});
  EXPECT_EQ(manager.listeners(), 1);
  auto taken = manager.take_listener();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->release(), 3);  // not this test's to close
  EXPECT_EQ(manager.listeners(), 0);
  EXPECT_FALSE(manager.take_listener());
}

TEST(ServiceManager, HandsOverNothingToOthersAndNoneOfSeveral) {
  EXPECT_EQ(make({{"LISTEN_FDS", "1"}, {"LISTEN_PID", "18"}}).listeners(), 0);
  EXPECT_EQ(make({{"LISTEN_FDS", "1"}}).listeners(), 0);
  ServiceManager several = make({{"LISTEN_FDS", "2"}, {"LISTEN_PID", "17"}});
  EXPECT_EQ(several.listeners(), 2);
  EXPECT_FALSE(several.take_listener());
}

}  // namespace
}  // namespace metricsd::server
