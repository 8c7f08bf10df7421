// Workloads killed with SIGKILL at random moments: every operation that record() took counts once in the
// scrape, and stands once in the run's file; or it is told as lost.

#include <metricsd/client/collector.h>
#include <metricsd/models/json/document.h>
#include <metricsd/support/daemon_process.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kThreads = 3;

// Operations of one workload, counted where they outlive it.
struct Recorded {
  std::array<std::atomic<std::uint64_t>, kThreads> begun;  // before record()
  std::array<std::atomic<std::uint64_t>, kThreads> done;   // after it
};

class SharedRecorded {
 public:
  SharedRecorded()
      : counts_(static_cast<Recorded*>(
            ::mmap(nullptr, sizeof(Recorded), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  SharedRecorded(const SharedRecorded&) = delete;
  SharedRecorded& operator=(const SharedRecorded&) = delete;
  ~SharedRecorded() { ::munmap(counts_, sizeof(Recorded)); }

  [[nodiscard]] Recorded& counts() const { return *counts_; }

 private:
  Recorded* counts_;
};

[[noreturn]] void work(const DaemonProcess& daemon, const fs::path& files, Recorded& recorded,
                       bool leave_child) {
  client::RunOptions options;
  options.test_name = "killed";
  options.export_dir = files;
  options.join_from_environment = false;
  options.socket = daemon.socket().string();
  client::Collector run(std::move(options));
  if (leave_child && ::fork() == 0) {
    ::sleep(20);  // with the socket
    ::_exit(0);
  }
  const client::BoundOperation upload = run.bind("upload", {});
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t i = 1;; ++i) {
        recorded.begun[thread].store(i);
        if (i % 3 == 0) {
          run.record(
              {.operation_type = "list", .duration = std::chrono::microseconds(5), .object_key = "key"});
        } else {
          upload.record({.duration = std::chrono::microseconds(i), .object_size_bytes = i});
        }
        recorded.done[thread].store(i);
        if (i % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
  }
  while (true) ::pause();
}

std::uint64_t sum(const std::array<std::atomic<std::uint64_t>, kThreads>& counts) {
  std::uint64_t all = 0;
  for (const auto& count : counts) all += count.load();
  return all;
}

struct Told {
  std::uint64_t operations = 0;
  std::uint64_t dropped = 0;  // before or after the ring, of the way to the daemon
  std::uint64_t delivered = 0;
};

Told told_by(const DaemonProcess& daemon) {
  const json::value status = parse_json(daemon.status()).value();
  Told told{.operations = status.at("ingest").at("operations").to_number<std::uint64_t>(),
            .dropped = 0,
            .delivered = status.at("segments").at("delivered").to_number<std::uint64_t>()};
  for (const auto& sink : status.at("dropped").as_object()) {
    if (sink.key() == "jsonl") continue;
    for (const auto& cause : sink.value().as_object())
      told.dropped += cause.value().to_number<std::uint64_t>();
  }
  return told;
}

// The operations in all runs' files; each id once.
std::uint64_t lines_in(const fs::path& files) {
  std::set<std::string> ids;
  std::uint64_t lines = 0;
  for (const auto& run : fs::directory_iterator(files)) {
    std::ifstream in(run.path() / "operations.jsonl");
    for (std::string line; std::getline(in, line);) {
      const auto parsed = parse_json(line);
      if (!parsed || !parsed->is_object()) continue;
      ++lines;
      ids.insert(std::string(parsed->at("operation_id").as_string()));
    }
  }
  EXPECT_EQ(ids.size(), lines);
  return lines;
}

// Where segments get names; else they go along with the hello, and only who said one can be killed.
fs::path shared_memory() {
  const fs::path memory = "/dev/shm";
  return fs::is_directory(memory) ? memory : fs::temp_directory_path();
}

class KilledClientsTest : public ::testing::Test {
 protected:
  [[nodiscard]] DaemonOptions options() const {
    return {.flags = {}, .socket = sockets_.path() / "metricsd.sock"};
  }

  // Kills `count` workloads after up to `most`, one after the other, and adds up what they recorded.
  void kill_workloads(const DaemonProcess& daemon, int count, std::chrono::microseconds most,
                      bool leave_children) {
    std::mt19937 random(20260131);
    for (int i = 0; i < count; ++i) {
      const SharedRecorded recorded;
      const pid_t child = ::fork();
      if (child == 0) work(daemon, files_.path(), recorded.counts(), leave_children);
      const auto wait = std::uniform_int_distribution<std::int64_t>(0, most.count())(random);
      std::this_thread::sleep_for(std::chrono::microseconds(wait));
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      begun_ += sum(recorded.counts().begun);
      done_ += sum(recorded.counts().done);
    }
  }

  // At the moment of its death a thread may be within record().
  void expect_exact(const DaemonProcess& daemon) const {
    EXPECT_TRUE(eventually([&] {
      const Told told = told_by(daemon);
      return told.operations + told.dropped >= done_;
    }));
    EXPECT_TRUE(eventually([&] { return fs::is_empty(sockets_.path() / "segments"); }));
    const Told told = told_by(daemon);
    EXPECT_GE(told.operations + told.dropped, done_) << daemon.status();
    EXPECT_LE(told.operations + told.dropped, begun_) << daemon.status();
    const std::uint64_t lines = lines_in(files_.path());
    EXPECT_GE(lines, told.operations) << daemon.log();
    EXPECT_LE(lines, begun_);
  }

  // Kills a workload and its daemon, in either order and both at once, again and again. The last daemon.
  std::unique_ptr<DaemonProcess> kill_both_again_and_again(const DaemonOptions& options,
                                                           const std::function<void()>& become_the_client) {
    std::mt19937 random(17);
    const auto pause = [&random](int most_ms) {
      std::this_thread::sleep_for(
          std::chrono::microseconds(random() % (1000U * static_cast<unsigned>(most_ms))));
    };
    auto daemon = std::make_unique<DaemonProcess>(options);
    for (int i = 0; i < 12; ++i) {
      const SharedRecorded recorded;
      const pid_t child = ::fork();
      if (child == 0) {
        become_the_client();
        work(*daemon, files_.path(), recorded.counts(), false);
      }
      pause(400);
      const bool daemon_first = i % 3 != 0;
      if (daemon_first) daemon->stop(SIGKILL);
      if (i % 3 == 1) pause(100);
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      begun_ += sum(recorded.counts().begun);
      done_ += sum(recorded.counts().done);
      if (!daemon_first) {
        pause(50);
        daemon->stop(SIGKILL);
      }
      daemon.reset();
      daemon = std::make_unique<DaemonProcess>(options);
    }
    return daemon;
  }

  TemporaryDirectory sockets_{shared_memory()};
  TemporaryDirectory files_;
  TemporaryDirectory data_;
  std::uint64_t begun_ = 0;
  std::uint64_t done_ = 0;
};

TEST_F(KilledClientsTest, LoseNothing) {
  const DaemonProcess daemon(options());
  kill_workloads(daemon, 25, std::chrono::milliseconds(120), false);
  EXPECT_GT(done_, 0U);
  expect_exact(daemon);
}

// Before their first hello, too.
TEST_F(KilledClientsTest, LoseNothingWhenTheyAreYoung) {
  const DaemonProcess daemon(options());
  kill_workloads(daemon, 40, std::chrono::milliseconds(8), false);
  expect_exact(daemon);
}

TEST_F(KilledClientsTest, LoseNothingWhereChildrenKeepTheirSockets) {
  const DaemonProcess daemon(options());
  kill_workloads(daemon, 10, std::chrono::milliseconds(60), true);
  expect_exact(daemon);
}

TEST_F(KilledClientsTest, LoseNothingWhileNoDaemonRuns) {
  {
    DaemonProcess gone(options());
    gone.stop(SIGKILL);
    kill_workloads(gone, 10, std::chrono::milliseconds(60), false);
  }
  const DaemonProcess daemon(options());
  expect_exact(daemon);
}

// In either order, and both at once; what the daemon had counted it still has.
TEST_F(KilledClientsTest, LoseNothingWhereDaemonsAreKilledToo) {
  DaemonOptions kept = options();
  kept.flags = {"--data-dir", data_.path().string(), "--data.checkpoint-interval", "100ms"};
  const auto daemon = kill_both_again_and_again(kept, [] {});
  expect_exact(*daemon);
}

// ---- Of another user than the daemon's ------------------------------------------------------------------

constexpr uid_t kNobody = 65534;

void become_nobody() {
  if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(1);
}

class ForeignKilledClientsTest : public KilledClientsTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs to be another user";
    // As it is installed: whoever owes something may leave it here, and take nobody else's.
    fs::permissions(sockets_.path(), fs::perms(0755));
    fs::create_directory(sockets_.path() / "segments");
    fs::permissions(sockets_.path() / "segments", fs::perms(01777));
    fs::permissions(files_.path(), fs::perms(0777));
  }

  // What the daemon can not open itself.
  void hand_in(const DaemonProcess& daemon) const {
    const pid_t child = ::fork();
    if (child == 0) {
      become_nobody();
      ::execl(METRICSCTL_BINARY, METRICSCTL_BINARY, "adopt", (sockets_.path() / "segments").c_str(),
              "--socket", daemon.socket().c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
};

TEST_F(ForeignKilledClientsTest, LoseNothingWhereDaemonsAreKilledToo) {
  DaemonOptions kept = options();
  kept.flags = {"--data-dir",
                data_.path().string(),
                "--data.checkpoint-interval",
                "100ms",
                "--socket.allow-uid",
                "*",
                "--socket.mode",
                "0666"};
  const auto daemon = kill_both_again_and_again(kept, become_nobody);
  hand_in(*daemon);
  expect_exact(*daemon);
}

}  // namespace
}  // namespace metricsd::support
