// How the daemon begins and ends.

#include <metricsd/support/daemon_process.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace metricsd::support {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// One line for a person, and nothing else.
void expect_one_line(const std::string& errors) {
  EXPECT_THAT(errors, StartsWith("metricsd: "));
  EXPECT_EQ(errors.find('\n'), errors.size() - 1) << errors;
}

class Signals : public ::testing::TestWithParam<int> {};

TEST_P(Signals, EndItWithCodeZeroAndWithoutASocket) {
  DaemonProcess daemon;
  Socket idle = daemon.connect();
  Socket http = connect_loopback(daemon.http_port());
  const auto socket = daemon.socket();
  EXPECT_TRUE(std::filesystem::exists(socket));
  EXPECT_EQ(daemon.stop(GetParam()), 0) << daemon.log();
  EXPECT_FALSE(std::filesystem::exists(socket));
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_THAT(daemon.log(), HasSubstr("message=stopped"));
}

INSTANTIATE_TEST_SUITE_P(Lifecycle, Signals, ::testing::Values(SIGTERM, SIGINT));

TEST(Lifecycle, WhatWasSentBeforeTheSignalIsTaken) {
  DaemonProcess daemon;
  Socket sender = daemon.connect();
  std::string lines;
  for (int i = 0; i < 500; ++i)
    lines += R"({"nonsense":)"
             "\n";
  ASSERT_TRUE(sender.send(lines));
  EXPECT_EQ(daemon.stop(SIGTERM), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("operations=0"));
  EXPECT_THAT(daemon.log(), HasSubstr("rejected=500"));
}

TEST(Lifecycle, AFirehoseDoesNotKeepItFromEnding) {
  DaemonProcess daemon;
  std::atomic<bool> gone = false;
  std::thread firehose([&] {
    Socket socket = daemon.connect();
    std::string block;
    for (int i = 0; i < 1000; ++i)
      block += R"({"operation_type":"upload","duration_ms":1,"success":true})"
               "\n";
    while (socket.send(block)) {
    }
    gone = true;
  });
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") > 1000; }));
  EXPECT_EQ(daemon.stop(SIGTERM), 0);
  firehose.join();
  EXPECT_TRUE(gone);
}

// Senders that are connected, some with half a line; readers that ask for more than they take, and some that
// ask for ever so slowly.
TEST(Lifecycle, ACrowdDoesNotKeepItFromEnding) {
  DaemonProcess daemon;
  std::string many;
  for (int i = 0; i < 200; ++i) many += "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
  std::vector<Socket> crowd;
  for (int i = 0; i < 1000; ++i) {
    crowd.push_back(daemon.connect());
    ASSERT_TRUE(crowd.back().send(i % 2 == 0 ? "{\"operation_type\":" : "{}\n"));
  }
  for (int i = 0; i < 200; ++i) {
    crowd.push_back(connect_loopback(daemon.http_port()));
    ASSERT_TRUE(crowd.back().send(i % 2 == 0 ? many : "GET /metrics HT"));
  }
  ASSERT_TRUE(eventually([&] { return daemon.status().find("\"connections\":1001") != std::string::npos; }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(daemon.stop(SIGTERM), 0);
  // What is promised; it takes a tenth of that.
  if (METRICSD_SANITIZED == 0) {
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  }
}

TEST(Lifecycle, ASecondDaemonRefusesWithOneLine) {
  const DaemonProcess daemon;
  const Ended second =
      run_daemon_binary({"--socket", daemon.socket(), "--web.listen-address", "127.0.0.1:0"});
  EXPECT_EQ(second.exit_code, 1);
  expect_one_line(second.errors);
  EXPECT_NE(daemon.status().find("\"ready\":true"), std::string::npos);  // the first lives on
}

TEST(Lifecycle, APortInUseIsOneLine) {
  const DaemonProcess daemon;
  const TemporaryDirectory directory;
  const std::string address = "127.0.0.1:" + std::to_string(daemon.http_port());
  const Ended second =
      run_daemon_binary({"--socket", directory.path() / "other.sock", "--web.listen-address", address});
  EXPECT_EQ(second.exit_code, 1);
  expect_one_line(second.errors);
  EXPECT_THAT(second.errors, HasSubstr(address));
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "other.sock"));
}

TEST(Lifecycle, AnUnusablePathIsOneLine) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "a directory");
  const Ended ended = run_daemon_binary(
      {"--socket", directory.path() / "a directory", "--web.listen-address", "127.0.0.1:0"});
  EXPECT_EQ(ended.exit_code, 1);
  expect_one_line(ended.errors);
}

TEST(Lifecycle, AnUnknownHostIsOneLine) {
  const TemporaryDirectory directory;
  const Ended ended = run_daemon_binary(
      {"--socket", directory.path() / "s.sock", "--web.listen-address", "no.such.host.invalid:0"});
  EXPECT_EQ(ended.exit_code, 1);
  expect_one_line(ended.errors);
}

TEST(Lifecycle, WrongUsageIsOneLineAndCodeTwo) {
  const Ended ended = run_daemon_binary({"--ingest.threads", "none"});
  EXPECT_EQ(ended.exit_code, 2);
  expect_one_line(ended.errors);
  EXPECT_EQ(ended.output, "");
}

TEST(Lifecycle, HelpAndVersionGoToStdout) {
  const Ended help = run_daemon_binary({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("--web.listen-address"));
  EXPECT_EQ(help.errors, "");
  EXPECT_THAT(run_daemon_binary({"--version"}).output, StartsWith("metricsd "));
}

TEST(Lifecycle, TheSocketHasItsMode) {
  const DaemonProcess daemon({.flags = {"--socket.mode", "0600"}});
  struct stat status {};
  ASSERT_EQ(::stat(daemon.socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(Lifecycle, BeyondLoopbackItWarns) {
  const DaemonProcess open({.flags = {"--web.listen-address", "0.0.0.0:0"}});
  EXPECT_THAT(open.log(), HasSubstr("neither TLS nor a password"));
  const DaemonProcess closed;
  EXPECT_THAT(closed.log(), ::testing::Not(HasSubstr("neither TLS nor a password")));
}

TEST(Lifecycle, ANameIsServedAtItsAddresses) {
  const DaemonProcess daemon({.flags = {"--web.listen-address", "localhost:0"}});
  EXPECT_EQ(daemon.get("/-/healthy").status, 200);
  const std::string status = daemon.status();
  const std::string web = status.substr(status.find("\"web\":"), status.find(']') - status.find("\"web\":"));
  EXPECT_GE(std::count(web.begin(), web.end(), ','), 1) << web;  // the helper's address and at least one more
}

TEST(Lifecycle, AStaleSocketIsTakenOver) {
  const TemporaryDirectory directory;
  const std::filesystem::path socket = directory.path() / "s.sock";
  {
    DaemonProcess first({.flags = {}, .socket = socket});
    first.stop(SIGKILL);
  }
  EXPECT_TRUE(std::filesystem::exists(socket));
  DaemonProcess second({.flags = {}, .socket = socket});
  EXPECT_EQ(second.stop(SIGTERM), 0);
}

}  // namespace
}  // namespace metricsd::support
