// The history of tasks: what monitors tell of processes is shown as it came, bounded, and outlives the
// daemon; the series of a task go when nobody tells of it any more.

#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/daemon_process.h>
#include <metricsd/support/sanitized.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string sample(const std::string& task, int number, const std::string& more = "") {
  return R"({"type":"task_sample","task_id":")" + task + R"(","metrics":{"n":)" + std::to_string(number) +
         "}" + more + "}\n";
}
std::string of_role(const std::string& role) {
  return R"(,"role":")" + role + "\"";
}

json::value document(const DaemonProcess& daemon, const std::string& target) {
  const HttpAnswer answer = daemon.get(target);
  EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
  const auto parsed = parse_json(answer.body);
  return parsed ? *parsed : json::value();
}

json::value page(const DaemonProcess& daemon, const std::string& task, const std::string& query = "") {
  return document(daemon, "/api/v1/tasks/" + task + "/metrics" + query);
}

// -1 where there is no such task.
std::int64_t total(const DaemonProcess& daemon, const std::string& task, const std::string& query = "") {
  const HttpAnswer answer = daemon.get("/api/v1/tasks/" + task + "/metrics" + query);
  return answer.status == 200 ? parse_json(answer.body)->at("total").as_int64() : -1;
}

// The numbers of the samples of a page.
std::vector<std::int64_t> numbers(const json::value& page) {
  std::vector<std::int64_t> numbers;
  for (const json::value& metrics : page.at("metrics").as_array())
    numbers.push_back(metrics.at("n").as_int64());
  return numbers;
}

bool is_connected(const DaemonProcess& daemon, const std::string& task) {
  const json::value all = document(daemon, "/api/v1/processes");
  for (const json::value& each : all.at("processes").as_array()) {
    if (each.at("task_id").as_string() == task && each.at("connected").as_bool()) return true;
  }
  return false;
}

struct Home {
  [[nodiscard]] DaemonOptions options(int threads) const {
    return {.flags = {"--data-dir", state.string(), "--data.checkpoint-interval", "50ms", "--ingest.threads",
                      std::to_string(threads)},
            .socket = directory.path() / "metricsd.sock"};
  }

  TemporaryDirectory directory;
  fs::path state = directory.path() / "state";
};

TEST(Tasks, AreShownAsTheyWereTold) {
  const DaemonProcess daemon;
  Socket monitor = daemon.connect();
  ASSERT_TRUE(monitor.send(
      R"({"type":"task_sample","task_id":"build_1763650000","node":"host","role":"","pid":4711,"history_size":3,"interval":0.5,)"
      R"("metrics":{"thread_count": 3},"aggregated":{"sample_count":1}})"
      "\n"));
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(monitor.send(sample("a b/c", i, of_role("r\\\"1"))));
  ASSERT_TRUE(eventually([&] { return total(daemon, "a%20b/c", "?role=r%221") == 9; }));

  const json::value whole = page(daemon, "build_1763650000");
  EXPECT_EQ(whole, *parse_json(R"({"offset":0,"limit":100,"total":1,"metrics":[{"thread_count":3}],)"
                               R"("aggregated":{"sample_count":1}})"));
  EXPECT_EQ(numbers(page(daemon, "a%20b%2Fc", "?role=r%221&offset=2&limit=3")),
            (std::vector<std::int64_t>{6, 5, 4}));

  const json::array all = document(daemon, "/api/v1/processes").at("processes").as_array();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("task_id"), "a b/c");
  EXPECT_EQ(all[0].at("role"), "r\"1");
  EXPECT_EQ(all[0].at("samples").as_int64(), 9);
  EXPECT_EQ(all[0].at("last"), *parse_json(R"({"n":8})"));
  EXPECT_EQ(all[1].at("task_id"), "build_1763650000");
  EXPECT_EQ(all[1].at("node"), "host");
  EXPECT_EQ(all[1].at("pid").as_int64(), 4711);
  EXPECT_TRUE(all[1].at("connected").as_bool());
  monitor.close();
  EXPECT_TRUE(eventually([&] { return !is_connected(daemon, "build_1763650000"); }));
  EXPECT_EQ(daemon.scrape().value("metricsd_task_samples_total"), 10);
  EXPECT_EQ(daemon.scrape().value("metricsd_tasks"), 2);
}

TEST(Tasks, WhoAsksForWhatIsNotThereHearsWhy) {
  const DaemonProcess daemon;
  Socket monitor = daemon.connect();
  ASSERT_TRUE(monitor.send(sample("t", 1)));
  ASSERT_TRUE(eventually([&] { return total(daemon, "t") == 1; }));
  const std::string metrics = "/api/v1/tasks/t/metrics";
  for (const char* query : {"?offset=-1", "?offset=x", "?offset=", "?offset=1x", "?offset=9007199254740993",
                            "?offset=99999999999999999999"}) {
    const HttpAnswer answer = daemon.get(metrics + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(answer.body, "offset must be a whole number\n");
  }
  for (const char* query :
       {"?limit=0", "?limit=1001", "?limit=-1", "?limit=ten", "?limit=+5", "?offset=0&limit="}) {
    const HttpAnswer answer = daemon.get(metrics + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(answer.body, "limit must be a whole number from 1 to 1000\n");
  }
  for (const char* query : {"?limit=1", "?limit=1000", "?offset=9007199254740992", "?role=", "?other=x"}) {
    EXPECT_EQ(daemon.get(metrics + query).status, 200) << query;
  }
  EXPECT_EQ(daemon.get("/api/v1/tasks/other/metrics").status, 404);
  EXPECT_EQ(daemon.get(metrics + "?role=other").status, 404);
  EXPECT_EQ(daemon.get("/api/v1/tasks//metrics").status, 404);
  EXPECT_EQ(daemon.request("POST", metrics).status, 405);
}

TEST(Tasks, HostileLinesAreRefusedAndChangeNothing) {
  const DaemonProcess daemon;
  Socket monitor = daemon.connect();
  ASSERT_TRUE(monitor.send(sample("t", 1)));
  const std::string start = R"({"type":"task_sample","task_id":"t","metrics":)";
  const std::vector<std::pair<std::string, std::string>> hostile{
      {start + "}", "malformed_json"},
      {start + R"({"n":01}})", "malformed_json"},
      {start + R"({"n":1,"n":2}})", "duplicate_field"},
      {start + R"({"n":1e999}})", "out_of_range"},
      {start + R"([1]})", "wrong_type"},
      {start + R"({"n":")" + std::string(limits::kTaskObject, 'x') + "\"}}", "too_long"},
      {start + R"({"n":)" + std::string(40, '[') + std::string(40, ']') + "}}", "too_deep"},
      {start + "{},\"role\":\"\\u0000\"}", "invalid_characters"},
      {R"({"type":"task_sample","metrics":{}})", "missing_field"}};
  for (const auto& [line, reason] : hostile) ASSERT_TRUE(monitor.send(line + "\n"));
  ASSERT_TRUE(monitor.send(start + "{\"n\":\"\xFF\"}}\n"));  // no UTF-8
  ASSERT_TRUE(monitor.send(sample("t", 2)));
  ASSERT_TRUE(eventually([&] { return total(daemon, "t") == 2; }));
  const ExpositionPage scraped = daemon.scrape();
  EXPECT_EQ(scraped.sum("metricsd_rejected_total"), static_cast<double>(hostile.size() + 1));
  for (const auto& [line, reason] : hostile) {
    EXPECT_GE(scraped.value("metricsd_rejected_total", {{"reason", reason}}).value_or(0), 1)
        << line.substr(0, 80);
  }
  EXPECT_EQ(numbers(page(daemon, "t")), (std::vector<std::int64_t>{2, 1}));
}

TEST(Tasks, AreBoundedInNumber) {
  const DaemonProcess daemon;
  Socket monitor = daemon.connect();
  const int most = static_cast<int>(limits::kTasks);
  std::string lines;
  const std::string interval = R"(,"interval":1000)";
  for (int i = 0; i < most + 10; ++i) lines += sample("t" + std::to_string(i), i, interval);
  for (int i = 0; i < 40; ++i) lines += sample("t0", i, of_role(std::to_string(i)) + interval);
  ASSERT_TRUE(monitor.send(lines));
  const auto refused = [&] {
    return daemon.scrape().value("metricsd_rejected_total", {{"reason", "limit_reached"}});
  };
  EXPECT_TRUE(eventually([&] { return refused() == 10 + 40 - 31; }));
  EXPECT_EQ(daemon.scrape().value("metricsd_tasks"), most);
  // Those that are left behind make room.
  monitor.close();
  Socket other = daemon.connect();
  ASSERT_TRUE(other.send(sample("new", 1)));
  EXPECT_TRUE(eventually([&] {
    // Until the first one is gone it is refused.
    (void)other.send(sample("new", 1));
    return total(daemon, "new") > 0;
  }));
  EXPECT_EQ(daemon.scrape().value("metricsd_tasks"), most);
}

TEST(Tasks, AreBoundedInBytes) {
  const DaemonProcess daemon({.flags = {"--ingest.threads", "2"}});
  Socket monitor = daemon.connect();
  const std::string large =
      R"({"type":"task_sample","task_id":"large","history_size":10000,"metrics":{"n":1,"x":")" +
      std::string(8000, 'x') + "\"}}\n";
  constexpr int kSamples = 5000;
  std::string lines = sample("small", 1);
  for (int i = 0; i < kSamples; ++i) lines += large;
  ASSERT_TRUE(monitor.send(lines));
  ASSERT_TRUE(
      eventually([&] { return daemon.scrape().value("metricsd_task_samples_total") == kSamples + 1; }));
  const ExpositionPage scraped = daemon.scrape();
  EXPECT_LE(scraped.value("metricsd_task_history_bytes"), static_cast<double>(limits::kTaskBytes));
  const double dropped = scraped.value("metricsd_task_samples_dropped_total").value_or(0);
  EXPECT_GT(dropped, 500);
  EXPECT_EQ(static_cast<double>(total(daemon, "large")) + dropped, kSamples);
  EXPECT_EQ(total(daemon, "small"), 1);
  EXPECT_EQ(page(daemon, "large", "?limit=1000").at("metrics").as_array().size(), 1000U);
}

TEST(Tasks, AreOneHistoryForEveryThread) {
  const DaemonProcess daemon({.flags = {"--ingest.threads", "4"}});
  constexpr int kSenders = 8;
  constexpr int kSamples = METRICSD_SANITIZED != 0 ? 100 : 400;
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&daemon, sender] {
      Socket socket = daemon.connect();
      for (int i = 0; i < kSamples; ++i) {
        const std::string role = of_role("r" + std::to_string(sender)) + R"(,"history_size":1000)";
        ASSERT_TRUE(socket.send(sample("t", i, role) + sample("t", i, R"(,"history_size":10000)")));
      }
    });
  }
  for (std::jthread& sender : senders) sender.join();
  EXPECT_TRUE(eventually([&] { return total(daemon, "t") == kSenders * kSamples; }));
  for (int sender = 0; sender < kSenders; ++sender) {
    const json::value own = page(daemon, "t", "?limit=1000&role=r" + std::to_string(sender));
    ASSERT_EQ(own.at("total").as_int64(), kSamples);
    const auto told = numbers(own);
    for (int i = 0; i < kSamples; ++i) ASSERT_EQ(told[static_cast<std::size_t>(i)], kSamples - 1 - i);
  }
  EXPECT_TRUE(eventually([&] { return !is_connected(daemon, "t"); }));
}

TEST(Tasks, OutliveTheDaemonWithAnyNumberOfThreads) {
  const Home home;
  int told = 0;
  for (const int threads : {1, 3, 2}) {
    DaemonProcess daemon(home.options(threads));
    EXPECT_EQ(total(daemon, "t"), told == 0 ? -1 : told);
    EXPECT_EQ(total(daemon, "t", "?role=r"), told == 0 ? -1 : told);
    EXPECT_FALSE(is_connected(daemon, "t"));
    // Connections go round the threads.
    for (int connection = 0; connection < 3; ++connection) {
      Socket monitor = daemon.connect();
      for (int i = 0; i < 10; ++i, ++told) {
        ASSERT_TRUE(monitor.send(sample("t", told, R"(,"aggregated":{"told":)" + std::to_string(told) + "}") +
                                 sample("t", told, of_role("r"))));
      }
      ASSERT_TRUE(eventually([&] { return total(daemon, "t", "?role=r") == told; }));
      EXPECT_TRUE(is_connected(daemon, "t"));
    }
    // What was shown is durable.
    const std::string before = daemon.get("/api/v1/tasks/t/metrics?limit=1000").body;
    daemon.stop(SIGKILL);
    const DaemonProcess again(home.options(threads));
    EXPECT_EQ(again.get("/api/v1/tasks/t/metrics?limit=1000").body, before);
    EXPECT_EQ(numbers(page(again, "t", "?limit=1")), (std::vector<std::int64_t>{told - 1}));
    EXPECT_EQ(page(again, "t").at("aggregated").at("told").as_int64(), told - 1);
    EXPECT_EQ(again.scrape().value("metricsd_task_samples_total"), 2 * told);
  }
}

TEST(Tasks, OnlyWhatIsNewIsWrittenDown) {
  const Home home;
  const DaemonProcess daemon(home.options(1));
  Socket monitor = daemon.connect();
  std::string lines;
  for (int i = 0; i < 2000; ++i) {
    lines += sample("t", i, R"(,"history_size":10000,"aggregated":{"x":")" + std::string(100, 'x') + "\"}");
  }
  ASSERT_TRUE(monitor.send(lines));
  ASSERT_TRUE(eventually([&] { return total(daemon, "t") == 2000; }));
  ASSERT_TRUE(monitor.send(sample("t", 2000, R"(,"history_size":10000)")));
  ASSERT_TRUE(eventually([&] { return total(daemon, "t") == 2001; }));
  EXPECT_LT(daemon.scrape().value("metricsd_checkpoint_written_bytes"), 10'000);
}

class TasksExpiry : public testing::TestWithParam<const char*> {};

// Each of two jobs has series in the first two shards; a monitor tells of the task elsewhere.
TEST_P(TasksExpiry, SeriesGoWithTheLastWhoTells) {
  TemporaryDirectory directory;
  const std::string data_dir =
      std::string(GetParam()) == "none" ? "none" : (directory.path() / "state").string();
  const DaemonProcess daemon({.flags = {"--ingest.threads", "2", "--metrics.process-expiry", "1s",
                                        "--data-dir", data_dir, "--data.checkpoint-interval", "50ms"}});
  Socket first = daemon.connect();
  Socket second = daemon.connect();
  for (Socket* socket : {&first, &second}) {
    ASSERT_TRUE(socket->send(
        R"({"type":"define","id":1,"name":"workload_process_cpu","unit":"seconds","kind":"counter","labels":["job_name","mode"]})"
        "\n"
        R"({"type":"define","id":2,"name":"jobs","kind":"counter","labels":["job_name"]})"
        "\n"
        R"({"type":"samples","rows":[[1,["gone","user"],2],[1,["live","user"],3],[2,["gone"],1]]})"
        "\n"));
  }
  Socket monitor = daemon.connect();
  ASSERT_TRUE(monitor.send(sample("live", 1)));
  Socket other = daemon.connect();
  ASSERT_TRUE(other.send(sample("gone", 1)));
  constexpr const char* kCpu = "workload_process_cpu_seconds_total";
  const auto cpu_of = [&](const char* job) {
    return daemon.scrape().value(kCpu, {{"job_name", job}, {"mode", "user"}});
  };
  ASSERT_TRUE(
      eventually([&] { return cpu_of("gone") == 4 && cpu_of("live") == 6 && total(daemon, "gone") == 1; }));

  // While somebody tells of them they stay, though nothing is told.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_EQ(cpu_of("gone"), 4);
    ASSERT_EQ(cpu_of("live"), 6);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  other.close();
  // From both shards at once: never a part of the sum.
  EXPECT_TRUE(eventually([&] {
    const auto cpu = cpu_of("gone");
    EXPECT_TRUE(!cpu || cpu == 4) << *cpu;
    return !cpu;
  }));
  EXPECT_EQ(cpu_of("live"), 6);
  EXPECT_EQ(daemon.scrape().value("jobs_total", {{"job_name", "gone"}}), 2);  // another family
  EXPECT_EQ(total(daemon, "gone"), 1);                                        // the history stays
  monitor.close();
  EXPECT_TRUE(eventually([&] { return !cpu_of("live"); }));
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_series") == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Kept, TasksExpiry, testing::Values("none", "state"));

TEST(Tasks, SeriesThatAreToldOfAreNotIdle) {
  const DaemonProcess daemon({.flags = {"--metrics.series-expiry", "1s"}});
  Socket monitor = daemon.connect();
  ASSERT_TRUE(monitor.send(
      sample("live", 1) +
      R"({"type":"define","id":1,"name":"workload_process_cpu","kind":"counter","labels":["job_name"]})"
      "\n"
      R"({"type":"define","id":2,"name":"jobs","kind":"counter","labels":["job_name"]})"
      "\n"
      R"({"type":"samples","rows":[[1,["live"],2],[1,["other"],3],[2,["live"],4]]})"
      "\n"));
  ASSERT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_series") == 3; }));
  ASSERT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_series") == 1; }));
  EXPECT_EQ(daemon.scrape().value("workload_process_cpu_total", {{"job_name", "live"}}), 2);
  monitor.close();
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_series") == 0; }));
}

TEST(Tasks, WhatIsToldAgainIsTakenOnce) {
  const Home home;
  const auto numbered = [](int number, const char* sender) {
    return sample("t", number,
                  R"(,"sender_id":"0011223344556677889900112233445)" + std::string(sender) +
                      R"(","number":)" + std::to_string(number));
  };
  for (const int threads : {1, 2}) {
    const DaemonProcess daemon(home.options(threads));
    Socket monitor = daemon.connect();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(monitor.send(numbered(i, "a")));
    ASSERT_TRUE(eventually([&] { return total(daemon, "t") == 5; }));
    monitor.close();
    ASSERT_TRUE(eventually([&] { return !is_connected(daemon, "t"); }));
    Socket again = daemon.connect();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(again.send(numbered(i, "a")));
    ASSERT_TRUE(eventually([&] { return is_connected(daemon, "t"); }));
    EXPECT_EQ(total(daemon, "t"), 5);
  }
}

TEST(Tasks, SeriesStayWhereNothingExpires) {
  const DaemonProcess daemon({.flags = {"--metrics.process-expiry", "0"}});
  Socket socket = daemon.connect();
  ASSERT_TRUE(socket.send(
      R"({"type":"define","id":1,"name":"workload_process_cpu","kind":"counter","labels":["job_name"]})"
      "\n"
      R"({"type":"samples","rows":[[1,["gone"],2]]})"
      "\n" +
      sample("gone", 1)));
  ASSERT_TRUE(eventually([&] { return total(daemon, "gone") == 1; }));
  socket.close();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(daemon.scrape().sum("workload_process_cpu_total"), 2);
}

}  // namespace
}  // namespace metricsd::support
