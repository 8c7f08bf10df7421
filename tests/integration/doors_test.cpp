// Who may come in, and how much of the daemon one user may take.

#include <metricsd/support/daemon_process.h>
#include <metricsd/support/sanitized.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;
constexpr gid_t kSomeGroup = 54321;

std::string operation_by(const std::string& driver) {
  return R"({"operation_type":"upload","duration_ms":1,"success":true,"driver":")" + driver + "\"}\n";
}

// A daemon whose socket every user can reach.
class OpenDaemon {
 public:
  explicit OpenDaemon(std::vector<std::string> flags)
      : daemon_({.flags = with_mode(std::move(flags)), .socket = reachable_socket()}) {}

  const DaemonProcess* operator->() const { return &daemon_; }

 private:
  static std::vector<std::string> with_mode(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--socket.mode", "0666"});
    return flags;
  }
  fs::path reachable_socket() const {
    fs::permissions(directory_.path(), fs::perms(0755));
    return directory_.path() / "open.sock";
  }

  TemporaryDirectory directory_;
  DaemonProcess daemon_;
};

// What `act` answers as another user, in a process of its own.
bool as_nobody(const std::vector<gid_t>& groups, const std::function<bool()>& act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool changed =
        ::setgroups(groups.size(), groups.data()) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
    ::_exit(changed && act() ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Sends an operation as somebody else; true when the daemon has let it be sent and answered.
bool nobody_is_served(const OpenDaemon& daemon, const std::vector<gid_t>& groups = {}) {
  return as_nobody(groups, [&] {
    Socket socket = daemon->connect();
    socket.send(operation_by("nobody") + "{\"type\":\"status\"}\n");
    return socket.receive_until("\n").ends_with("\n");
  });
}

double rejected(const OpenDaemon& daemon, const std::string& reason) {
  return daemon->scrape().sum("metricsd_rejected_total", {{"reason", reason}});
}

class ForeignSender : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs to be another user";
  }
};

TEST_F(ForeignSender, IsLetGoCountedAndToldOf) {
  const OpenDaemon daemon({});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(nobody_is_served(daemon));
  EXPECT_TRUE(eventually([&] { return rejected(daemon, "user_not_allowed") == 3; }));
  EXPECT_EQ(daemon->scrape().sum("workload_operations_total"), 0);
  EXPECT_THAT(daemon->log(), HasSubstr("reason=user_not_allowed uid=65534"));
  EXPECT_THAT(daemon->status(), HasSubstr(R"("user_not_allowed":3)"));
}

TEST_F(ForeignSender, IsServedAsAMemberOfTheSocketsGroup) {
  const OpenDaemon daemon({"--socket.group", std::to_string(kSomeGroup)});
  EXPECT_TRUE(nobody_is_served(daemon, {1, kSomeGroup, 2}));
  EXPECT_FALSE(nobody_is_served(daemon, {1, 2}));
}

TEST_F(ForeignSender, IsServedByItsUid) {
  const OpenDaemon daemon({"--socket.allow-uid", std::to_string(kNobody)});
  EXPECT_TRUE(nobody_is_served(daemon));
}

TEST_F(ForeignSender, IsServedByAGroupThatIsNamedAndNoOther) {
  const OpenDaemon daemon(
      {"--socket.allow-group", std::to_string(kSomeGroup), "--socket.group", std::to_string(kSomeGroup + 1)});
  EXPECT_TRUE(nobody_is_served(daemon, {kSomeGroup}));
  EXPECT_FALSE(nobody_is_served(daemon, {kSomeGroup + 1}));
}

TEST_F(ForeignSender, IsServedWhereEveryoneIs) {
  const OpenDaemon daemon({"--socket.allow-uid", "*"});
  EXPECT_TRUE(nobody_is_served(daemon));
}

TEST(Doors, AnAccountThatIsNotThereIsOneLine) {
  const TemporaryDirectory directory;
  for (const std::string flag : {"--socket.allow-uid", "--socket.allow-group", "--socket.group"}) {
    const Ended ended = run_daemon_binary({"--socket", directory.path() / "s.sock", "--web.listen-address",
                                           "127.0.0.1:0", "--data-dir", "none", flag, "no-such-account"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.errors, HasSubstr(flag));
    EXPECT_EQ(ended.errors.find('\n'), ended.errors.size() - 1) << ended.errors;
  }
}

TEST(Doors, AUserHasSoManyConnections) {
  const OpenDaemon daemon({"--socket.max-user-connections", "5"});
  std::vector<Socket> open;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(eventually([&] {
      Socket socket = daemon->connect();
      socket.send("{\"type\":\"status\"}\n");
      if (!socket.receive_until("\n").ends_with("\n")) return false;
      open.push_back(std::move(socket));
      return true;
    }));
  }
  const double refused = rejected(daemon, "too_many_connections");
  EXPECT_EQ(daemon->connect().receive_all(), "");
  EXPECT_EQ(daemon->connect().receive_all(), "");
  EXPECT_TRUE(eventually([&] { return rejected(daemon, "too_many_connections") == refused + 2; }));
  EXPECT_THAT(daemon->log(), HasSubstr("too_many_connections"));

  open.pop_back();
  EXPECT_TRUE(eventually([&] {
    Socket socket = daemon->connect();
    socket.send("{\"type\":\"status\"}\n");
    return socket.receive_until("\n").ends_with("\n");
  }));
}

std::string repeated(const std::string& line, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += line;
  return text;
}

TEST(Doors, WhoSendsMoreThanItMayIsReadSlowlyAndLosesNothing) {
  constexpr std::size_t kRate = 4 << 20;
  constexpr int kSenders = 3;
  const OpenDaemon daemon({"--socket.max-user-rate", "4MiB"});
  const std::string line = operation_by("fast");
  const std::string block = repeated(line, kRate / 2);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> senders;
  senders.reserve(kSenders);
  for (int i = 0; i < kSenders; ++i) {
    senders.emplace_back([&] { EXPECT_TRUE(daemon->connect().send(block)); });
  }
  for (std::thread& sender : senders) sender.join();
  const std::size_t sent = kSenders * (block.size() / line.size());
  EXPECT_TRUE(eventually(
      [&] { return daemon->scrape().sum("workload_operations_total") == static_cast<double>(sent); }));
  // One and a half seconds' worth of bytes, of which a quarter may come at once.
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_THAT(daemon->log(), HasSubstr("sends more than it may"));
}

// Of a user who sends too much: each of its connections has its turn, and other users' do not wait.
TEST_F(ForeignSender, DoesNotWaitForOneWhoSendsTooMuch) {
  const OpenDaemon daemon({"--socket.max-user-rate", "1MiB", "--socket.allow-uid", "*"});
  std::atomic<bool> done = false;
  const std::string block = repeated(operation_by("firehose"), 1 << 20);
  std::vector<std::thread> firehoses;
  for (int i = 0; i < 2; ++i) {
    firehoses.emplace_back([&] {
      Socket socket = daemon->connect();
      while (!done && socket.send(block)) {
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return daemon->log().find("sends more than it may") != std::string::npos; }));
  const auto counted = [&](const std::string& driver) {
    return daemon->scrape().sum("workload_operations_total", {{"driver", driver}});
  };
  EXPECT_TRUE(nobody_is_served(daemon));
  EXPECT_EQ(counted("nobody"), 1);
  Socket slow = daemon->connect();
  ASSERT_TRUE(slow.send(operation_by("slow")));
  EXPECT_TRUE(eventually([&] { return counted("slow") == 1; }));
  done = true;
  for (std::thread& firehose : firehoses) firehose.join();
}

std::string hello_of(int client, const std::string& streams) {
  std::string id = std::to_string(client);
  id.insert(0, 32 - id.size(), '0');
  return R"({"type":"hello","protocol":1,"client_id":")" + id + R"(","pid":1,"streams":[)" + streams + "]}\n";
}

const std::string kThreeRecords =
    R"({"type":"batch","stream":0,"first_seq":1,"count":3,"shared":[{"operation_type":"upload",)"
    R"("success":true}],"fields":["duration_ns"],"rows":[[0,1],[0,1],[0,1]]})"
    "\n";
const std::string kFirstStream = R"({"stream":0,"first_seq":1})";

// What the daemon says to a client that says hello.
std::string welcome_of(Socket& socket, int client, const std::string& streams) {
  socket.send(hello_of(client, streams));
  return socket.receive_until("\n");
}

bool sends_three(const OpenDaemon& daemon, int client) {
  Socket socket = daemon->connect();
  (void)welcome_of(socket, client, kFirstStream);
  socket.send(kThreeRecords + "{\"type\":\"flush\"}\n");
  return socket.receive_until("\n").find("\"folded\":3") != std::string::npos;
}

// More clients come and go than a daemon knows. Who filled the table gives: none of the others is forgotten,
// and who is hears of it, so that nothing is sent and counted twice.
TEST_F(ForeignSender, DoesNotMakeTheDaemonForgetOthersClients) {
  constexpr int kVictim = 1'000'000;
  constexpr int kClients = 65'536;
  const OpenDaemon daemon({"--ingest.threads", "1", "--socket.allow-uid", "*"});
  ASSERT_TRUE(sends_three(daemon, kVictim));
  ASSERT_TRUE(as_nobody({}, [&] { return sends_three(daemon, kVictim); }));
  ASSERT_TRUE(as_nobody({}, [&] {
    for (int client = 0; client < kClients; ++client) {
      Socket socket = daemon->connect();
      if (!socket.send(hello_of(client, kFirstStream))) return false;
      // Not faster than they are let in.
      if (client % 64 == 0 && socket.receive_until("\n").empty()) return false;
    }
    return true;
  }));
  const auto known = [&] {
    Socket socket = daemon->connect();
    return welcome_of(socket, kVictim, kFirstStream);
  };
  EXPECT_THAT(known(), HasSubstr(R"("known":true,"streams":[{"stream":0,"folded":3,)"));
  EXPECT_TRUE(as_nobody({}, [&] {
    return eventually([&] { return known().find(R"("known":false,"forgotten":true)") != std::string::npos; });
  }));
  EXPECT_TRUE(as_nobody({}, [&] {
    Socket socket = daemon->connect();
    socket.send(hello_of(kVictim, kFirstStream) + kThreeRecords);
    const std::string answers = socket.receive_all();
    return answers.find("\"ack\"") == std::string::npos;
  }));
  EXPECT_EQ(daemon->scrape().sum("workload_operations_total"), 6);
  EXPECT_GE(rejected(daemon, "client_forgotten"), 2);
}

TEST_F(ForeignSender, DoesNotTakeTheStreamsOfOthers) {
  constexpr int kStreams = 4096;
  constexpr int kClients = 300;
  const OpenDaemon daemon({"--ingest.threads", "1", "--socket.allow-uid", "*"});
  std::string streams;
  for (int i = 0; i < kStreams; ++i) {
    streams += R"({"stream":)" + std::to_string(i) + R"(,"first_seq":2},)";
  }
  streams.pop_back();
  // A connection is for ever of who made it.
  ASSERT_EQ(::seteuid(kNobody), 0);
  std::vector<Socket> open;
  for (int client = 0; client < kClients; ++client) {
    open.push_back(daemon->connect());
    EXPECT_NE(welcome_of(open.back(), client, streams), "");
  }
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_TRUE(sends_three(daemon, kClients));
  EXPECT_EQ(daemon->scrape().sum("workload_operations_total"), 3);
}

// Each line may have a mebibyte after a hello; all of them together may not have as many as there are
// connections.
TEST(Doors, HalfLinesOfAllConnectionsAreBounded) {
  constexpr int kConnections = 400;
  constexpr double kMiB = 1 << 20;
  const OpenDaemon daemon({});
  const double before = daemon->scrape().value("process_resident_memory_bytes").value();
  const std::string half = R"({"x":")" + std::string(1'000'000, 'x');
  std::vector<Socket> hostile;
  for (int i = 0; i < kConnections; ++i) {
    std::string id = std::to_string(i);
    id.insert(0, 32 - id.size(), '0');
    hostile.push_back(daemon->connect());
    // Who was let go meanwhile is not the last one.
    ASSERT_TRUE(hostile.back().send(R"({"type":"hello","protocol":1,"client_id":")" + id +
                                    R"(","pid":1,"streams":[]})" + "\n" + half));
  }
  EXPECT_TRUE(eventually([&] { return rejected(daemon, "half_line") >= kConnections - 270; }));
  const ExpositionPage page = daemon->scrape();
  EXPECT_GT(page.value("metricsd_connections"), 100);
  if (METRICSD_SANITIZED == 0) {
    EXPECT_LT(page.value("process_resident_memory_bytes").value() - before, 320 * kMiB);
  }
  EXPECT_THAT(daemon->log(), HasSubstr("too much is held"));

  // The youngest live on.
  ASSERT_TRUE(hostile.back().send("\"}\n" + operation_by("last")));
  EXPECT_TRUE(eventually([&] { return daemon->scrape().sum("workload_operations_total") == 1; }));
}

}  // namespace
}  // namespace metricsd::support
