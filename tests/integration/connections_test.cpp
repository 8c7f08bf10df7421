// Many connections, idle ones, rude ones, and more than there are descriptors.

#include <metricsd/support/daemon_process.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace metricsd::support {
namespace {

const std::string kGood = R"({"operation_type":"upload","duration_ms":1,"success":true})"
                          "\n";

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

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
  if (!kSanitized) {
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

TEST(Connections, WaitingForDescriptorsDoesNotSpin) {
  const DaemonProcess daemon({.flags = {}, .max_descriptors = 64});
  std::vector<Socket> many;
  for (int i = 0; i < 100; ++i) many.push_back(daemon.connect());
  ASSERT_TRUE(eventually([&] { return daemon.log().find("connections wait") != std::string::npos; }));
  // A spinning daemon burns a second of CPU in a second; this one sleeps, but for the scrapes that ask.
  const double before = daemon.scrape().value("process_cpu_seconds_total").value();
  const double started = daemon.scrape().value("process_start_time_seconds").value();
  EXPECT_GT(started, 0);
  ASSERT_FALSE(eventually([] { return false; }, std::chrono::milliseconds(1000)));
  EXPECT_LT(daemon.scrape().value("process_cpu_seconds_total").value() - before, 0.5);
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
