// The data directory: whatever kills the daemon, fills its disk or damages its files, acknowledged records
// count once, and no counter that was scraped falls.

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/encoder.h>
#include <metricsd/models/json/document.h>
#include <metricsd/support/daemon_process.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kPlain = "{\"operation_type\":\"upload\",\"duration_ms\":1,\"success\":true}\n";
constexpr const char* kTotal = "workload_operations_total";

// One of a directory that outlives it.
struct Home {
  [[nodiscard]] DaemonOptions options(const std::string& interval = "100ms", int threads = 1) const {
    return {.flags = {"--data-dir", state.string(), "--data.checkpoint-interval", interval,
                      "--ingest.threads", std::to_string(threads)},
            .socket = socket};
  }

  TemporaryDirectory directory;
  fs::path state = directory.path() / "state";
  fs::path socket = directory.path() / "metricsd.sock";
};

json::value status_of(const DaemonProcess& daemon) {
  return parse_json(daemon.status()).value();
}

bool eventually_counts(const DaemonProcess& daemon, double operations) {
  return eventually([&] { return daemon.scrape().sum(kTotal) == operations; });
}

// A client in a thread of its own: it sends batches of one stream, on as many connections as it takes, and
// keeps to what it is told of them.
class Client {
 public:
  Client(fs::path socket, std::string id)
      : socket_(std::move(socket)), id_(std::move(id)), thread_([this] { run(); }) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { finish(); }

  // Sends nothing new, and ends once all is durable. How many records there were.
  std::uint64_t finish() {
    is_finishing_ = true;
    if (thread_.joinable()) thread_.join();
    return sent_;
  }
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  void run() {
    while (!is_finishing_ || durable_ < sent_) {
      try {
        serve(connect_unix(socket_));
      } catch (const std::exception&) {
        std::this_thread::sleep_for(5ms);
      }
    }
  }

  void serve(Socket socket) {
    std::string line;
    ipc::encode(line, ipc::HelloMessage{.client_id = id_, .pid = 1, .streams = {{0, durable_ + 1}}});
    if (!socket.send(line)) return;
    const std::string welcome = socket.receive_until("\n");
    if (welcome.empty() || welcome.back() != '\n') return;
    next_ = std::max<std::uint64_t>(durable_, last_number(welcome, "\"folded\":").value_or(0)) + 1;
    while (durable_ < sent_ || !is_finishing_) {
      if (!socket.send(next_batch() + "{\"type\":\"flush\"}\n")) return;
      const std::string acks = socket.receive_until("\n", 5ms);
      if (const auto durable = last_number(acks, "\"durable\":")) durable_ = *durable;
      if (acks.empty() && has_ended(socket)) return;
    }
  }

  std::string next_batch() {
    constexpr std::uint64_t kBatch = 50;
    const std::uint64_t left = is_finishing_ ? sent_ + 1 - std::min(next_, sent_ + 1) : kBatch;
    const std::uint64_t count = std::min(kBatch, left);
    if (count == 0) return {};
    ipc::BatchEncoder encoder;
    encoder.begin(0, next_);
    for (std::uint64_t i = 0; i < count; ++i) {
      encoder.add(encoder.shared({.operation_type = "upload", .success = true}), 1'000'000, 1, 0);
    }
    std::string line;
    encoder.finish(line);
    next_ += count;
    sent_ = std::max<std::uint64_t>(sent_, next_ - 1);
    return line;
  }

  static std::optional<std::uint64_t> last_number(const std::string& text, std::string_view key) {
    const std::size_t at = text.rfind(key);
    if (at == std::string::npos || text.find('}', at) == std::string::npos) return std::nullopt;
    return std::stoull(text.substr(at + key.size()));
  }
  static bool has_ended(const Socket& socket) {
    char byte = 0;
    return ::recv(socket.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  const fs::path socket_;
  const std::string id_;
  std::uint64_t next_ = 1;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> durable_ = 0;
  std::atomic<bool> is_finishing_ = false;
  std::thread thread_;
};

// Every counter of every page, and what it was at least.
class Counters {
 public:
  void expect_none_fell(const ExpositionPage& page) {
    for (const ExpositionFamily& family : page.families) {
      const bool counts = family.type == "counter" || family.type == "histogram";
      if (!counts || family.name.starts_with("process_")) continue;
      for (const ExpositionSample& sample : family.samples) {
        double& before = least_[{sample.name, sample.labels}];
        EXPECT_GE(sample.value, before) << sample.name;
        before = std::max(before, sample.value);
      }
    }
    for (const auto& [key, before] : least_) {
      const auto value = page.value(key.first, key.second);
      EXPECT_TRUE(value || before == 0) << key.first;
    }
  }

 private:
  std::map<std::pair<std::string, ExpositionLabels>, double> least_;
};

std::string id_of(int client) {
  std::string id = std::to_string(client);
  return id.insert(0, 32 - id.size(), '0');
}

void expect_ledgers(const DaemonProcess& daemon, const std::vector<std::unique_ptr<Client>>& clients) {
  const json::value status = status_of(daemon);
  std::map<std::string, std::uint64_t> emitted;
  for (const json::value& client : status.at("clients").as_array()) {
    const auto number = [&](const char* name) { return client.at(name).to_number<std::uint64_t>(); };
    EXPECT_EQ(number("emitted"), number("folded") + number("rejected") + number("dropped"));
    EXPECT_EQ(number("emitted"), number("folded"));
    emitted[std::string(client.at("client_id").as_string())] = number("emitted");
  }
  for (const auto& client : clients) EXPECT_EQ(emitted[client->id()], client->finish()) << client->id();
}

TEST(Durability, WhatWasScrapedAndAcknowledgedOutlivesAnyNumberOfKills) {
  const Home home;
  auto daemon = std::make_unique<DaemonProcess>(home.options());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<Client>(home.socket, id_of(i)));
  Counters counters;
  for (int cycle = 0; cycle < 20; ++cycle) {
    for (int scrape = 0; scrape < 3; ++scrape) {
      std::this_thread::sleep_for(std::chrono::milliseconds(17 * (cycle % 7) + 5));
      counters.expect_none_fell(daemon->scrape());
    }
    daemon->stop(SIGKILL);
    // However many shards there were before.
    daemon = std::make_unique<DaemonProcess>(home.options("100ms", cycle % 3 + 1));
    counters.expect_none_fell(daemon->scrape());
  }
  double sent = 0;
  for (const auto& client : clients) sent += static_cast<double>(client->finish());
  EXPECT_GT(sent, 0);
  EXPECT_TRUE(eventually_counts(*daemon, sent)) << daemon->scrape().sum(kTotal) << " of " << sent;
  counters.expect_none_fell(daemon->scrape());
  EXPECT_EQ(daemon->scrape().sum("metricsd_ingest_operations_total", {{"delivery", "acknowledged"}}), sent);
  expect_ledgers(*daemon, clients);
  EXPECT_EQ(daemon->stop(SIGTERM), 0);
}

TEST(Durability, SigtermMakesAllOfItDurable) {
  const Home home;
  {
    DaemonProcess daemon(home.options("1h"));
    Socket socket = daemon.connect();
    for (int i = 0; i < 1000; ++i) socket.send(kPlain);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(daemon.stop(SIGTERM), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
  }
  const DaemonProcess daemon(home.options());
  EXPECT_EQ(daemon.scrape().sum(kTotal), 1000);
  const json::value status = status_of(daemon);
  EXPECT_EQ(status.at("durability").as_string(), "checkpoint");
  EXPECT_EQ(status.at("checkpoint").at("restored").at("from").as_string(), "checkpoint");
  EXPECT_TRUE(status.at("checkpoint").at("restored").at("complete").as_bool());
}

TEST(Durability, SigtermOnAFullDiskEndsWithAnError) {
  const Home home;
  DaemonProcess daemon(home.options("1h"));
  daemon.connect().send(kPlain);
  const rlimit full{.rlim_cur = 16, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &full, nullptr), 0);
  EXPECT_EQ(daemon.stop(SIGTERM), 1);
}

// Who has sent hears at the end that it is durable, flushed or not.
TEST(Durability, SigtermTellsWhatIsDurable) {
  const Home home;
  DaemonProcess daemon(home.options("1h"));
  Socket socket = daemon.connect();
  std::string lines;
  ipc::encode(lines, ipc::HelloMessage{.client_id = id_of(1), .pid = 1, .streams = {{0, 1}}});
  ipc::BatchEncoder encoder;
  encoder.begin(0, 1);
  for (int i = 0; i < 70; ++i)
    encoder.add(encoder.shared({.operation_type = "list", .success = true}), 1, 0, 0);
  encoder.finish(lines);
  socket.send(lines);
  (void)socket.receive_until("\"folded\":70");
  EXPECT_EQ(daemon.stop(SIGTERM), 0);
  EXPECT_THAT(socket.receive_all(), HasSubstr("\"folded\":70,\"durable\":70}"));
}

// Changed bounds begin that histogram anew, and it is said; the other totals stay.
TEST(Durability, ChangedBucketsBeginTheirHistogramAnew) {
  const Home home;
  {
    DaemonProcess daemon(home.options());
    daemon.connect().send(kPlain);
    ASSERT_TRUE(eventually_counts(daemon, 1));
    EXPECT_EQ(daemon.stop(SIGTERM), 0);
  }
  DaemonOptions options = home.options();
  options.flags.insert(options.flags.end(), {"--metrics.duration-buckets", "1,2"});
  const DaemonProcess daemon(options);
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum(kTotal), 1);
  EXPECT_EQ(page.sum("workload_operation_duration_seconds_count"), 0);
  EXPECT_EQ(page.sum("workload_operation_size_bytes_count"), 1);
  EXPECT_EQ(status_of(daemon).at("checkpoint").at("restored").at("series_redefined").to_number<int>(), 1);
  EXPECT_THAT(daemon.log(), HasSubstr("defined otherwise"));
}

// A client that sends, flushes and goes need not wait for the interval.
TEST(Durability, AFlushHastensTheCheckpoint) {
  const Home home;
  const DaemonProcess daemon(home.options("1h"));
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(std::make_unique<Client>(home.socket, id_of(i)));
  double sent = 0;
  for (const auto& client : clients) {
    EXPECT_TRUE(eventually([&] { return client->durable() > 0; }));
    sent += static_cast<double>(client->finish());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10min);
  EXPECT_EQ(daemon.scrape().sum(kTotal), sent);
}

// The same store does not forget, so who is not known is told so: with no stream in the welcome.
TEST(Durability, AStoreIsKnownByItsIdAndAClientByItsStreams) {
  const Home home;
  std::string line;
  ipc::encode(line, ipc::HelloMessage{.client_id = id_of(7), .pid = 1, .streams = {{0, 1}}});
  std::string store;
  {
    DaemonProcess daemon(home.options());
    Socket socket = daemon.connect();
    socket.send(line);
    const json::value welcome = parse_json(socket.receive_until("\n")).value();
    store = welcome.at("store_id").as_string();
    EXPECT_TRUE(welcome.at("streams").as_array().empty());
    EXPECT_TRUE(eventually([&] {
      return status_of(daemon).at("known_clients").to_number<int>() == 1;  // of what is durable
    }));
    daemon.stop(SIGKILL);
  }
  const DaemonProcess daemon(home.options());
  Socket socket = daemon.connect();
  socket.send(line);
  const json::value welcome = parse_json(socket.receive_until("\n")).value();
  EXPECT_EQ(welcome.at("store_id").as_string(), store);
  EXPECT_EQ(welcome.at("streams").as_array().size(), 1U);
}

TEST(Durability, ADamagedCheckpointIsKeptAndThePreviousUsed) {
  const Home home;
  std::string store;
  {
    DaemonProcess daemon(home.options());
    store = status_of(daemon).at("store_id").as_string();
    daemon.connect().send(kPlain);
    EXPECT_TRUE(eventually_counts(daemon, 1));
    daemon.stop(SIGKILL);
  }
  { DaemonProcess(home.options()).stop(SIGTERM); }
  {
    std::fstream file(home.state / "checkpoint", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(50);
    file.put('\xFF');
  }
  DaemonProcess daemon(home.options());
  EXPECT_EQ(daemon.scrape().sum(kTotal), 1);
  const json::value restored = status_of(daemon).at("checkpoint").at("restored");
  EXPECT_EQ(restored.at("from").as_string(), "previous");
  EXPECT_FALSE(restored.at("complete").as_bool());
  EXPECT_EQ(restored.at("damaged").as_array().size(), 1U);
  EXPECT_NE(status_of(daemon).at("store_id").as_string(), store);
  EXPECT_EQ(daemon.scrape().value("metricsd_checkpoint_damaged_files"), 1);
  EXPECT_TRUE(fs::exists(home.state / "checkpoint.bad-00000001"));
  EXPECT_THAT(daemon.log(), HasSubstr("damaged"));
}

TEST(Durability, NothingLeftOfTwoDamagedFilesIsNotSaidToBeComplete) {
  const Home home;
  { DaemonProcess(home.options()).stop(SIGTERM); }
  { DaemonProcess(home.options()).stop(SIGTERM); }
  for (const char* name : {"checkpoint", "checkpoint.previous"}) {
    std::ofstream(home.state / name, std::ios::binary | std::ios::trunc) << "no checkpoint";
  }
  const DaemonProcess daemon(home.options());
  const json::value restored = status_of(daemon).at("checkpoint").at("restored");
  EXPECT_EQ(restored.at("from").as_string(), "nothing");
  EXPECT_FALSE(restored.at("complete").as_bool());
  EXPECT_EQ(restored.at("damaged").as_array().size(), 2U);
}

// Be it the default directory or one that was named.
TEST(Durability, WhatAnotherVersionKeepsIsNotPassedOver) {
  const Home home;
  { DaemonProcess(home.options()).stop(SIGTERM); }
  std::ofstream(home.state / "checkpoint", std::ios::binary | std::ios::trunc) << "metricsd checkpoint 3\n";
  const Ended ended = run_daemon_binary({"--socket", home.socket.string(), "--web.listen-address",
                                         "127.0.0.1:0", "--data-dir", home.state.string()});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.errors, HasSubstr("version 3"));
  EXPECT_EQ(fs::file_size(home.state / "checkpoint"), 22U);
}

TEST(Durability, ADirectoryHasOneDaemon) {
  const Home home;
  const DaemonProcess daemon(home.options());
  const TemporaryDirectory other;
  const Ended second = run_daemon_binary({"--socket", (other.path() / "s").string(), "--web.listen-address",
                                          "127.0.0.1:0", "--data-dir", home.state.string()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.errors, HasSubstr("another metricsd"));
  EXPECT_THAT(second.errors, HasSubstr("--data-dir"));
}

TEST(Durability, ADirectoryThatWasAskedForMustBeOne) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() / "file") << "content";
  const Ended ended =
      run_daemon_binary({"--socket", (directory.path() / "s").string(), "--web.listen-address", "127.0.0.1:0",
                         "--data-dir", (directory.path() / "file").string()});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.errors, HasSubstr("Not a directory"));
}

TEST(Durability, WithoutADirectoryTheStatusSaysSo) {
  const DaemonProcess daemon;
  const json::value status = status_of(daemon);
  EXPECT_EQ(status.at("data_dir").as_string(), "none");
  EXPECT_EQ(status.at("durability").as_string(), "daemon");
  EXPECT_TRUE(status.at("checkpoint").is_null());
  EXPECT_EQ(daemon.scrape().family("metricsd_checkpoint_age_seconds"), nullptr);
}

// Each of these asks on a connection of its own.
TEST(Durability, WhoOnlyAsksForTheStatusCostsNoCheckpoint) {
  const Home home;
  DaemonProcess daemon(home.options("10ms"));
  const auto generation = [&] {
    return status_of(daemon).at("checkpoint").at("generation").to_number<std::uint64_t>();
  };
  const std::uint64_t before = generation();
  for (int i = 0; i < 30; ++i) {
    (void)generation();
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_LE(generation(), before + 1);  // once a minute the time is written
  daemon.connect().send(kPlain);
  EXPECT_TRUE(eventually_counts(daemon, 1));
}

void expect_failing(const DaemonProcess& daemon, bool failing) {
  EXPECT_TRUE(
      eventually([&] { return daemon.scrape().value("metricsd_checkpoint_failing") == (failing ? 1 : 0); }));
  EXPECT_EQ(status_of(daemon).at("durability").as_string(), failing ? "failing" : "checkpoint");
}

// A file that may not grow stands for a full disk: the daemon serves on, says it once, and mends it alone.
TEST(Durability, AFullDiskIsServedThroughAndMended) {
  const Home home;
  DaemonProcess daemon(home.options());
  Counters counters;
  daemon.connect().send(kPlain);
  ASSERT_TRUE(eventually_counts(daemon, 1));
  const rlimit full{.rlim_cur = 16, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &full, nullptr), 0);
  for (int i = 0; i < 20; ++i) daemon.connect().send(kPlain);
  expect_failing(daemon, true);
  EXPECT_EQ(daemon.scrape().sum(kTotal), 1);  // of what is durable
  counters.expect_none_fell(daemon.scrape());
  EXPECT_EQ(status_of(daemon).at("checkpoint").at("error").as_string(), "File too large");
  const rlimit room{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &room, nullptr), 0);
  expect_failing(daemon, false);
  EXPECT_TRUE(eventually_counts(daemon, 21));
  counters.expect_none_fell(daemon.scrape());
  EXPECT_GT(daemon.scrape().value("metricsd_checkpoint_failures_total"), 0);
  daemon.stop(SIGKILL);
  const DaemonProcess next(home.options());
  counters.expect_none_fell(next.scrape());
  EXPECT_EQ(next.scrape().sum(kTotal), 21);
}

// Killed in the midst of it, the daemon has shown nothing that the next one does not have.
TEST(Durability, NoCounterFallsWhereTheDiskFailsAndTheDaemonIsKilled) {
  const Home home;
  Counters counters;
  {
    DaemonProcess daemon(home.options());
    daemon.connect().send(kPlain);
    ASSERT_TRUE(eventually_counts(daemon, 1));
    const rlimit full{.rlim_cur = 16, .rlim_max = RLIM_INFINITY};
    ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &full, nullptr), 0);
    for (int i = 0; i < 20; ++i) {
      daemon.connect().send(kPlain);
      counters.expect_none_fell(daemon.scrape());
    }
    expect_failing(daemon, true);
    counters.expect_none_fell(daemon.scrape());
    daemon.stop(SIGKILL);
  }
  const DaemonProcess next(home.options());
  counters.expect_none_fell(next.scrape());
}

// A disk of our own, for who may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path at) : at_(std::move(at)) {
    fs::create_directories(at_);
    mounted_ = ::mount("none", at_.c_str(), "tmpfs", 0, "size=256k,mode=700") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] bool set_read_only(bool read_only) const {
    return ::mount("none", at_.c_str(), "tmpfs", read_only ? MS_REMOUNT | MS_RDONLY : MS_REMOUNT, nullptr) ==
           0;
  }

 private:
  fs::path at_;
  bool mounted_ = false;
};

TEST(Durability, ADiskWithoutRoomIsServedThroughAndMended) {
  const Home home;
  const SmallDisk disk(home.state);
  if (!disk.mounted()) GTEST_SKIP() << "may not mount";
  DaemonProcess daemon(home.options());
  std::ofstream filler(home.state / "filler");
  filler << std::string(1 << 20, 'x') << std::flush;
  daemon.connect().send(kPlain);
  std::uint64_t sent = 1;
  EXPECT_TRUE(eventually([&] {  // what room there is in the last page goes first
    daemon.connect().send(kPlain);
    ++sent;
    return daemon.scrape().value("metricsd_checkpoint_failing") == 1;
  }));
  filler.close();
  fs::remove(home.state / "filler");
  expect_failing(daemon, false);
  EXPECT_TRUE(eventually_counts(daemon, static_cast<double>(sent)));
  daemon.stop(SIGKILL);
  const DaemonProcess next(home.options());
  EXPECT_EQ(next.scrape().sum(kTotal), sent);
}

TEST(Durability, SigtermOnADiskThatFailsSaysWhatIsLost) {
  const Home home;
  const SmallDisk disk(home.state);
  if (!disk.mounted()) GTEST_SKIP() << "may not mount";
  DaemonProcess daemon(home.options());
  std::ofstream(home.state / "filler") << std::string(1 << 20, 'x') << std::flush;
  EXPECT_TRUE(eventually([&] {  // what room there is in the last page goes first
    daemon.connect().send(kPlain);
    return daemon.scrape().value("metricsd_checkpoint_failing") == 1;
  }));
  EXPECT_EQ(daemon.stop(SIGTERM), 1);
  EXPECT_THAT(daemon.log(), HasSubstr("stopped without a last checkpoint"));
  EXPECT_THAT(daemon.log(), HasSubstr("No space left on device"));
}

TEST(Durability, AReadOnlyDiskIsServedFrom) {
  const Home home;
  const SmallDisk disk(home.state);
  if (!disk.mounted()) GTEST_SKIP() << "may not mount";
  {
    DaemonProcess daemon(home.options());
    daemon.connect().send(kPlain);
    ASSERT_TRUE(eventually_counts(daemon, 1));
    daemon.stop(SIGKILL);
  }
  ASSERT_TRUE(disk.set_read_only(true));
  DaemonProcess daemon(home.options());
  EXPECT_EQ(daemon.scrape().sum(kTotal), 1);
  expect_failing(daemon, true);
  EXPECT_THAT(daemon.log(), HasSubstr("Read-only file system"));
  ASSERT_TRUE(disk.set_read_only(false));
  expect_failing(daemon, false);
}

}  // namespace
}  // namespace metricsd::support
