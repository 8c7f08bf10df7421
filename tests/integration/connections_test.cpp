// Many connections, idle ones, rude ones, and more than there are descriptors.

#include <metricsd/support/daemon_process.h>
#include <metricsd/support/sanitized.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace metricsd::support {
namespace {

const std::string kGood = R"({"operation_type":"upload","duration_ms":1,"success":true})"
                          "\n";

void raise_own_descriptor_limit() {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(Connections, ThousandsOfIdleOnesAreKeptAndCostLittle) {
  constexpr int kConnections = 2500;
  raise_own_descriptor_limit();
  const DaemonProcess daemon;
  const double before = daemon.scrape().value("process_resident_memory_bytes").value();
  std::vector<Socket> idle;
  for (int i = 0; i < kConnections; ++i) idle.push_back(daemon.connect());
  ASSERT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_connections") == kConnections; }));
  const double after = daemon.scrape().value("process_resident_memory_bytes").value();
  // A sanitizer's own bookkeeping would be measured with it.
  if (METRICSD_SANITIZED == 0) {
    EXPECT_LT((after - before) / kConnections, 8.0 * 1024);
  }

  for (Socket& socket : idle) ASSERT_TRUE(socket.send(kGood));
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") == kConnections; }));
  idle.clear();
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_connections") == 0; }));
}

TEST(Connections, MoreThanThereAreDescriptorsWaitAndTheScrapeLives) {
  const DaemonProcess daemon({.flags = {}, .max_descriptors = 64});
  std::vector<Socket> many;
  for (int i = 0; i < 200; ++i) many.push_back(daemon.connect());
  for (Socket& socket : many) ASSERT_TRUE(socket.send(kGood));
  ASSERT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") > 0; }));
  const ExpositionPage page = daemon.scrape();
  EXPECT_LT(page.value("metricsd_connections"), 64);
  EXPECT_EQ(page.value("process_max_fds"), 64);
  EXPECT_NE(daemon.log().find("connections wait"), std::string::npos);

  many.clear();  // those who waited have said their line: it is taken in their turn
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") == 200; }));
}

// How often accepting came to a stop, by the lines that told of it.
struct Pauses {
  std::uint64_t lines = 0;
  std::uint64_t events = 0;
};

Pauses pauses_in(const std::string& log) {
  Pauses pauses;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t count = line.find("count=");
    if (line.find("connections wait") == std::string::npos || count == std::string::npos) continue;
    ++pauses.lines;
    pauses.events += std::stoull(line.substr(count + std::string_view("count=").size()));
  }
  return pauses;
}

TEST(Connections, WaitingForDescriptorsDoesNotSpin) {
  const auto started = std::chrono::steady_clock::now();
  const DaemonProcess daemon({.flags = {}, .max_descriptors = 64});
  std::vector<Socket> many;
  for (int i = 0; i < 100; ++i) many.push_back(daemon.connect());
  ASSERT_TRUE(eventually([&] { return pauses_in(daemon.log()).lines >= 3; }));
  const std::uint64_t pauses = pauses_in(daemon.log()).events;
  // Each pause is one of 50 ms, however slow the machine: there can't be more than fit.
  const auto fit = (std::chrono::steady_clock::now() - started) / std::chrono::milliseconds(50);
  EXPECT_LE(pauses, static_cast<std::uint64_t>(fit) + 1);
}

TEST(Connections, OneThatNeverReadsItsAnswersIsLetGoAtTheBound) {
  const DaemonProcess daemon;
  Socket deaf = daemon.connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "{\"type\":\"status\"}\n";
  bool gone = false;
  for (int i = 0; i < 1000 && !gone; ++i) gone = !deaf.send(requests);
  EXPECT_TRUE(gone);
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_connections") == 0; }));
  EXPECT_NE(daemon.log().find("does not read its answers"), std::string::npos);
  EXPECT_NE(daemon.status().find("\"ready\":true"), std::string::npos);
}

TEST(Connections, AnswersComeAfterTheSenderHasSaidItsLast) {
  const DaemonProcess daemon;
  Socket socket = daemon.connect();
  socket.send(kGood + "{\"type\":\"status\"}\n{\"type\":\"status\"}\n");
  socket.finish_sending();
  const std::string answers = socket.receive_all();
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), 2);
  EXPECT_NE(answers.find("\"operations\":1"), std::string::npos);
}

}  // namespace
}  // namespace metricsd::support
