// What clients leave behind that die: told by their death alone, delivered once, whatever else is in the
// directory.

#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/endpoint.h>
#include <metricsd/ipc/passed_descriptor.h>
#include <metricsd/ipc/segment_lines.h>
#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/unique_fd.h>
#include <metricsd/support/daemon_process.h>
#include <metricsd/support/segment_image.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const std::string kClient(SegmentImage::kClient);

struct Counts {
  std::uint64_t operations = 0;
  std::uint64_t emitted = 0;  // by the clients that are known
  std::uint64_t folded = 0;
  std::uint64_t dropped = 0;
};

Counts counts_of(const DaemonProcess& daemon) {
  const json::value status = parse_json(daemon.status()).value();
  Counts counts{.operations = status.at("ingest").at("operations").to_number<std::uint64_t>()};
  for (const json::value& client : status.at("clients").as_array()) {
    counts.emitted += client.at("emitted").to_number<std::uint64_t>();
    counts.folded += client.at("folded").to_number<std::uint64_t>();
    counts.dropped += client.at("dropped").to_number<std::uint64_t>();
  }
  return counts;
}

bool has_operations(const DaemonProcess& daemon, std::uint64_t count) {
  return eventually([&] { return counts_of(daemon).operations == count; });
}

// A batch in the queue and records in two rings: 10 in all.
SegmentImage ten_records() {
  SegmentImage image;
  image.add_queue(1, {SegmentImage::batch(0, 1, 3)});
  SegmentImage::RingOptions queued;
  for (int i = 0; i < 6; ++i) queued.records.push_back(SegmentImage::record("upload"));
  queued.taken = 3;
  queued.sequence = 3;
  image.add_ring(queued);
  SegmentImage::RingOptions other;
  other.stream = 1;
  for (int i = 0; i < 4; ++i) other.records.push_back(SegmentImage::record("upload"));
  image.add_ring(other);
  return image;
}

// A process that owns a segment and speaks to the daemon, as a client does; killed at the latest with this.
// On SIGUSR1 it gives the segment up and lives on.
class Owner {
 public:
  struct Options {
    bool says_hello = true;
    bool leaves_a_child = false;  // which has the socket, and lives on
    bool hangs_up = false;        // after the welcome
    std::string says{};           // after the welcome
  };

  // Where the file is to be before it is locked, and so may have its name.
  static fs::path unnamed(const fs::path& segment) { return segment.parent_path().parent_path() / "unnamed"; }

  // Takes the file over.
  Owner(const fs::path& segment, const fs::path& socket, const Options& options) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ready[0]);
      live(segment, socket, options, ready[1]);
    }
    ::close(ready[1]);
    EXPECT_EQ(::read(ready[0], &child_, sizeof child_), static_cast<ssize_t>(sizeof child_));
    ::close(ready[0]);
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    kill();
    if (child_ > 0) ::kill(child_, SIGKILL);
  }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void signal(int number) const { ::kill(pid_, number); }

 private:
  [[noreturn]] static void live(const fs::path& segment, const fs::path& socket, const Options& options,
                                int ready) {
    const fs::path made = unnamed(segment);
    const int file = ::open(made.c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_len = 1;
    if (file < 0 || ::fcntl(file, F_SETLK, &lock) != 0) ::_exit(1);
    if (::rename(made.c_str(), segment.c_str()) != 0) ::_exit(1);
    std::optional<Socket> connection;
    if (options.says_hello) connection.emplace(say_hello(file, socket, options.says));
    pid_t child = 0;
    if (options.leaves_a_child) {
      child = ::fork();
      if (child == 0) {
        ::close(file);
        while (true) ::pause();
      }
    }
    if (options.hangs_up) connection.reset();
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    if (::write(ready, &child, sizeof child) != static_cast<ssize_t>(sizeof child)) ::_exit(1);
    int number = 0;
    ::sigwait(&signals, &number);
    lock.l_type = F_UNLCK;
    ::fcntl(file, F_SETLK, &lock);
    while (true) ::pause();
  }

  static Socket say_hello(int file, const fs::path& socket, const std::string& more) {
    Socket connection = connect_unix(socket);
    ipc::HelloMessage hello;
    hello.client_id = kClient;
    hello.pid = static_cast<std::uint64_t>(::getpid());
    hello.streams = {{0, 1}, {1, 1}};
    std::string line;
    ipc::encode(line, hello);
    const iovec part{line.data(), line.size()};
    if (ipc::send_parts(connection.fd(), {&part, 1}, file) < 0) ::_exit(1);
    if (connection.receive_until("\n").empty()) ::_exit(1);
    if (!more.empty()) connection.send(more + "{\"type\":\"flush\"}\n");
    if (!more.empty() && connection.receive_until("\n").empty()) ::_exit(1);
    return connection;
  }

  pid_t pid_ = -1;
  pid_t child_ = 0;
};

class AdoptionTest : public ::testing::Test {
 protected:
  AdoptionTest() : segments_(sockets_.path() / "segments"), segment_(segments_ / kClient) {
    fs::create_directory(segments_);
    ::chmod(segments_.c_str(), 0700);
  }
  [[nodiscard]] DaemonOptions options() const {
    return {.flags = {}, .socket = sockets_.path() / "metricsd.sock"};
  }
  [[nodiscard]] bool is_gone() const {
    return eventually([this] { return !fs::exists(segment_); });
  }

  TemporaryDirectory sockets_;
  const fs::path segments_;
  const fs::path segment_;
};

TEST_F(AdoptionTest, DeliversWhatAKilledClientHadNotSent) {
  const DaemonProcess daemon(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon.socket(), {});
  EXPECT_EQ(counts_of(daemon).operations, 0U);
  owner.kill();
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(is_gone());
  const Counts counts = counts_of(daemon);
  EXPECT_EQ(counts.emitted, 10U);
  EXPECT_EQ(counts.folded, 10U);
}

TEST_F(AdoptionTest, CountsOnceWhatTheClientHadSent) {
  const DaemonProcess daemon(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon.socket(),
              {.says = SegmentImage::batch(0, 1, 3).line + SegmentImage::batch(0, 4, 2).line +
                       SegmentImage::batch(1, 1, 1).line});
  EXPECT_EQ(counts_of(daemon).operations, 6U);
  owner.kill();
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(counts_of(daemon).operations, 10U);
  EXPECT_EQ(counts_of(daemon).folded, 10U);
}

// It goes on with the socket, and is none that the daemon asks.
TEST_F(AdoptionTest, TakesAForkedChildsSocketForNoLife) {
  const DaemonProcess daemon(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon.socket(), {.leaves_a_child = true});
  owner.kill();
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(is_gone());
}

TEST_F(AdoptionTest, TakesTheEndOfAConnectionForNoDeath) {
  const DaemonProcess daemon(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon.socket(), {.hangs_up = true});
  owner.signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_EQ(counts_of(daemon).operations, 0U);
  EXPECT_TRUE(fs::exists(segment_));
  owner.kill();
  EXPECT_TRUE(has_operations(daemon, 10));
}

TEST_F(AdoptionTest, TakesWhatALivingProcessGivesUp) {
  const DaemonProcess daemon(options());
  ten_records().write(Owner::unnamed(segment_));
  const Owner owner(segment_, daemon.socket(), {});
  owner.signal(SIGUSR1);
  EXPECT_TRUE(has_operations(daemon, 10));
}

TEST_F(AdoptionTest, TakesOrphansAtItsStart) {
  ten_records().write(segment_);
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(is_gone());
}

TEST_F(AdoptionTest, FindsAClientThatNeverReachedIt) {
  const DaemonProcess daemon(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon.socket(), {.says_hello = false});
  owner.kill();
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(is_gone());
}

TEST_F(AdoptionTest, DeliversTheSegmentOfWhoDiedWhileNobodyListened) {
  auto daemon = std::make_unique<DaemonProcess>(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon->socket(), {.says = SegmentImage::batch(0, 1, 3).line});
  daemon.reset();
  owner.kill();
  const DaemonProcess next(options());
  EXPECT_TRUE(has_operations(next, 10));  // another store: it has none of them
}

// A live client's is left alone by a daemon that is started anew.
TEST_F(AdoptionTest, LeavesTheSegmentOfALivingClientAlone) {
  auto daemon = std::make_unique<DaemonProcess>(options());
  ten_records().write(Owner::unnamed(segment_));
  Owner owner(segment_, daemon->socket(), {});
  daemon.reset();
  const DaemonProcess next(options());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(counts_of(next).operations, 0U);
  owner.kill();
  EXPECT_TRUE(has_operations(next, 10));
}

// Somebody who owns more segments than there are descriptors for, and says hello for each.
class Hog {
 public:
  Hog(uid_t uid, const fs::path& socket) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      if (::setuid(uid) != 0) ::_exit(1);
      std::vector<UniqueFd> segments;
      for (int i = 0; i < 60; ++i) segments.push_back(say_hello(i, socket));
      if (::write(ready[1], "1", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    ::close(ready[1]);
    char one = 0;
    EXPECT_EQ(::read(ready[0], &one, 1), 1);
    ::close(ready[0]);
  }
  Hog(const Hog&) = delete;
  Hog& operator=(const Hog&) = delete;
  ~Hog() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  static UniqueFd say_hello(int client, const fs::path& socket) {
    UniqueFd segment = SegmentImage().file();
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_len = 1;
    if (::fcntl(segment.get(), F_SETLK, &lock) != 0) ::_exit(1);
    Socket connection = connect_unix(socket);
    ipc::HelloMessage hello;
    hello.client_id = std::string(30, '0') + std::to_string(10 + client);
    std::string line;
    ipc::encode(line, hello);
    const iovec part{line.data(), line.size()};
    if (ipc::send_parts(connection.fd(), {&part, 1}, segment.get()) < 0) ::_exit(1);
    if (connection.receive_until("\n").empty()) ::_exit(1);
    return segment;
  }

  pid_t pid_ = -1;
};

TEST_F(AdoptionTest, KeepsRoomForTheSegmentsOfOtherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs to be another user";
  constexpr uid_t kNobody = 65534;
  fs::permissions(sockets_.path(), fs::perms(0755));
  DaemonOptions with_little_room = options();
  with_little_room.flags = {"--socket.allow-uid", "*", "--socket.mode", "0666"};
  with_little_room.max_descriptors = 256;
  const DaemonProcess daemon(with_little_room);
  const Hog hog(kNobody, daemon.socket());
  // Where nobody looks for it by its name.
  const fs::path elsewhere = sockets_.path() / "elsewhere";
  fs::create_directory(elsewhere);
  ten_records().write(Owner::unnamed(elsewhere / kClient));
  Owner owner(elsewhere / kClient, daemon.socket(), {});
  owner.kill();
  EXPECT_TRUE(has_operations(daemon, 10));
  const json::value status = parse_json(daemon.status()).value();
  EXPECT_GT(status.at("segments").at("not_kept").to_number<int>(), 0);
}

// It could neither be locked nor marked, and would be tried for ever.
TEST_F(AdoptionTest, KeepsNoDescriptorThatItCouldNotWriteTo) {
  const DaemonProcess daemon(options());
  ten_records().write(segment_);
  const UniqueFd read_only(::open(segment_.c_str(), O_RDONLY | O_CLOEXEC));
  Socket connection = daemon.connect();
  ipc::HelloMessage hello;
  hello.client_id = std::string(32, '7');
  std::string line;
  ipc::encode(line, hello);
  const iovec part{line.data(), line.size()};
  ASSERT_GT(ipc::send_parts(connection.fd(), {&part, 1}, read_only.get()), 0);
  ASSERT_FALSE(connection.receive_until("\n").empty());
  const auto figure = [&](const char* name) {
    return parse_json(daemon.status()).value().at("segments").at(name).to_number<int>();
  };
  EXPECT_TRUE(eventually([&] { return figure("refused") == 1; }));
  EXPECT_EQ(figure("kept"), 0);
}

TEST_F(AdoptionTest, LeavesWhatIsNotItsOwnOrNoSegment) {
  const auto name = [this](int i) { return segments_ / (std::string(31, 'a') + std::to_string(i)); };
  fs::create_symlink(segment_, name(1));
  std::ofstream(name(2)) << "nothing of the kind";
  SegmentImage lie = ten_records();
  lie.header().end = std::uint64_t{1} << 40;
  lie.write(name(3));
  fs::create_directory(name(4));
  ASSERT_EQ(::mkfifo(name(5).c_str(), 0600), 0);
  std::size_t refused = 5;
  if (::geteuid() == 0) {
    ten_records().write(name(6));
    ASSERT_EQ(::chown(name(6).c_str(), 12'345, 0), 0);
    ++refused;
  }
  ten_records().write(segment_);
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(is_gone());
  for (std::size_t i = 1; i <= refused; ++i) {
    EXPECT_TRUE(fs::exists(fs::symlink_status(name(static_cast<int>(i))))) << i;
  }
  EXPECT_TRUE(eventually([&] {
    const json::value status = parse_json(daemon.status()).value();
    return status.at("segments").at("refused").to_number<std::size_t>() == refused;
  })) << daemon.status();
  EXPECT_NE(daemon.log().find("a segment is left as it is"), std::string::npos);
}

TEST_F(AdoptionTest, LooksIntoNoDirectoryThatOthersMayWriteTo) {
  ::chmod(segments_.c_str(), 0777);
  ten_records().write(segment_);
  const DaemonProcess daemon(options());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(counts_of(daemon).operations, 0U);
  EXPECT_TRUE(fs::exists(segment_));
}

TEST_F(AdoptionTest, TakesMoreThanItDoesAtOnce) {
  constexpr int kSegments = 100;
  for (int i = 0; i < kSegments; ++i) {
    SegmentImage image = ten_records();
    std::string id = std::to_string(i);
    id.insert(0, 32 - id.size(), 'a');
    id.copy(image.header().identities[0].client_id, id.size());
    image.write(segments_ / id);
  }
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 10 * kSegments));
  EXPECT_TRUE(eventually([this] { return fs::is_empty(segments_); }));
}

TEST_F(AdoptionTest, TakesWhatIsHandedIn) {
  const DaemonProcess daemon(options());
  const TemporaryDirectory elsewhere;
  const fs::path file = elsewhere.path() / kClient;
  ten_records().write(file);
  const UniqueFd segment(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  const std::vector<fs::path> paths{daemon.socket()};
  const auto answer = ipc::hand_in_segment(paths, ::geteuid(), segment.get(), 30'000);
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->error, "");
  EXPECT_EQ(answer->records, 10U);
  EXPECT_TRUE(answer->whole);
  EXPECT_EQ(answer->client_id, kClient);
  EXPECT_EQ(ipc::segment_owner(segment.get()).value(), -1);  // who is answered may go on with it
  EXPECT_EQ(counts_of(daemon).operations, 10U);
  // Once more: it is marked.
  const auto again = ipc::hand_in_segment(paths, ::geteuid(), segment.get(), 30'000);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->records, 0U);
  EXPECT_EQ(counts_of(daemon).operations, 10U);
  const json::value status = parse_json(daemon.status()).value();
  EXPECT_EQ(status.at("segments").at("delivered").to_number<int>(), 1);
}

TEST_F(AdoptionTest, SaysWhyItDoesNotTakeWhatIsHandedIn) {
  const DaemonProcess daemon(options());
  const std::vector<fs::path> paths{daemon.socket()};
  const auto error_of = [&](int file) {
    const auto answer = ipc::hand_in_segment(paths, ::geteuid(), file, 30'000);
    return answer ? answer->error : answer.error().message();
  };
  EXPECT_NE(error_of(-1), "");
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_NE(error_of(null.get()), "");
  ten_records().write(Owner::unnamed(segment_));
  const Owner owner(segment_, daemon.socket(), {.says_hello = false});
  const UniqueFd owned(::open(segment_.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(error_of(owned.get()), "its process lives");
  EXPECT_EQ(counts_of(daemon).operations, 0U);
}

TEST_F(AdoptionTest, CompletesTheFileOfTheRun) {
  const TemporaryDirectory run;
  const fs::path file = run.path() / "operations.jsonl";
  std::ofstream(file) << "{\"operation_type\":\"other\",\"success\":true,\"duration_ms\":1}\n{\"operation_ty";
  SegmentImage image;
  image.add_run({"", run.path().string(), "s3", "boto", "abc"});
  SegmentImage::RingOptions ring;
  for (int i = 0; i < 5; ++i) ring.records.push_back(SegmentImage::record("upload"));
  image.add_ring(ring);
  image.add_append(ipc::AppendState::gathering, 0, "");
  image.write(segment_);
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 5));
  EXPECT_TRUE(is_gone());
  std::ifstream lines(file);
  std::multiset<std::string> ids;
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = parse_json(line);
    if (!parsed || !parsed->is_object()) continue;
    const json::value* id = parsed->as_object().if_contains("operation_id");
    ids.insert(id == nullptr ? "" : std::string(id->as_string()));
  }
  EXPECT_EQ(ids, (std::multiset<std::string>{"", "abc-0-1", "abc-0-2", "abc-0-3", "abc-0-4", "abc-0-5"}));
}

// Lines of a file that the daemon may not write are left for who may.
TEST_F(AdoptionTest, KeepsASegmentWhoseFileIsNotItsOwn) {
  const TemporaryDirectory run;
  fs::create_symlink("/dev/null", run.path() / "operations.jsonl");
  SegmentImage image = ten_records();
  image.add_run({"", run.path().string(), "s3", "boto", "abc"});
  image.add_append(ipc::AppendState::gathering, 0, "");
  image.write(segment_);
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(eventually([&] {
    const json::value status = parse_json(daemon.status()).value();
    return status.at("segments").at("unfinished").to_number<int>() == 1;
  }));
  EXPECT_TRUE(fs::exists(segment_));
}

// Whoever hands in much waits: it is not to take the descriptors that others need.
TEST_F(AdoptionTest, TakesSoManyAtOnceThatAreHandedIn) {
  const DaemonProcess daemon(options());
  const TemporaryDirectory elsewhere;
  const auto hand_in = [&](const Socket& connection, int number) {
    SegmentImage image = ten_records();
    std::string id = std::to_string(number);
    id.insert(0, 32 - id.size(), 'b');
    id.copy(image.header().identities[0].client_id, id.size());
    const fs::path file = elsewhere.path() / id;
    image.write(file);
    const UniqueFd segment(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    std::string line;
    ipc::encode(line, ipc::AdoptMessage{});
    const iovec part{line.data(), line.size()};
    EXPECT_GT(ipc::send_parts(connection.fd(), {&part, 1}, segment.get()), 0);
  };
  constexpr int kConnections = 200;
  std::vector<Socket> connections;
  ::kill(daemon.pid(), SIGSTOP);  // so that all of them come at once
  for (int i = 0; i < kConnections; ++i) {
    connections.push_back(connect_unix(daemon.socket()));
    hand_in(connections.back(), i);
  }
  ::kill(daemon.pid(), SIGCONT);
  std::size_t busy = 0;
  std::size_t taken = 0;
  for (Socket& connection : connections) {
    const std::string answer = connection.receive_until("\n");
    busy += answer.find("\"error\":\"busy\"") != std::string::npos ? 1 : 0;
    taken += answer.find("\"records\":10") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(busy + taken, static_cast<std::size_t>(kConnections));
  EXPECT_GE(taken, 1U);
  EXPECT_GE(busy, 1U);
  EXPECT_EQ(counts_of(daemon).operations, 10 * taken);
}

TEST_F(AdoptionTest, HoldsFewDescriptorsOfLinesThatDoNotEnd) {
  const DaemonProcess daemon(options());
  const auto descriptors = [&] {
    const fs::directory_iterator entries("/proc/" + std::to_string(daemon.pid()) + "/fd");
    return static_cast<std::size_t>(std::distance(entries, fs::directory_iterator()));
  };
  const std::size_t before = descriptors();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  constexpr std::size_t kConnections = 100;
  std::vector<Socket> connections;
  for (std::size_t i = 0; i < kConnections; ++i) {
    connections.push_back(connect_unix(daemon.socket()));
    char half[] = "{\"type\":\"hello\"";
    const iovec part{half, sizeof half - 1};
    EXPECT_GT(ipc::send_parts(connections.back().fd(), {&part, 1}, null.get()), 0);
  }
  EXPECT_TRUE(eventually([&] { return descriptors() >= before + kConnections; }));
  EXPECT_NE(daemon.status(), "");  // by now the last of them is read
  EXPECT_LE(descriptors(), before + kConnections + limits::kHandedInByUser + 4);
}

// Of a file's own disk, say: what fails now is not given up for ever.
TEST_F(AdoptionTest, TriesAgainWhatMayPass) {
  const TemporaryDirectory run;
  const fs::path file = run.path() / "operations.jsonl";
  fs::create_directory(file);  // no file to write to, for now
  SegmentImage image;
  image.add_run({"", run.path().string(), "s3", "boto", "abc"});
  SegmentImage::RingOptions ring;
  for (int i = 0; i < 5; ++i) ring.records.push_back(SegmentImage::record("upload"));
  image.add_ring(ring);
  image.add_append(ipc::AppendState::gathering, 0, "");
  image.write(segment_);
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 5));
  const auto figure = [&](const char* name) {
    const json::value status = parse_json(daemon.status()).value();
    return status.at("segments").at(name).to_number<int>();
  };
  EXPECT_TRUE(eventually([&] { return figure("unfinished") == 1; }));
  EXPECT_TRUE(fs::exists(segment_));
  fs::remove(file);
  std::ofstream(file).flush();
  EXPECT_TRUE(is_gone());
  EXPECT_TRUE(eventually([&] { return figure("unfinished") == 0; }));
  EXPECT_EQ(figure("file_lines"), 5);
  EXPECT_EQ(figure("delivered"), 1);
  EXPECT_EQ(counts_of(daemon).operations, 5U);
}

// As the service has it: what is there belongs to its clients' users.
TEST_F(AdoptionTest, TakesItsOwnOutOfADirectoryThatIsRootsAndSticky) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has such directories";
  ::chmod(segments_.c_str(), 01777);
  ten_records().write(segment_);
  const fs::path others = segments_ / std::string(32, 'c');
  ten_records().write(others);
  ASSERT_EQ(::chown(others.c_str(), 12'345, 12'345), 0);
  const DaemonProcess daemon(options());
  EXPECT_TRUE(has_operations(daemon, 10));
  EXPECT_TRUE(is_gone());
  EXPECT_TRUE(fs::exists(others));
  EXPECT_EQ(daemon.log().find("a segment is left as it is"), std::string::npos) << daemon.log();
}

}  // namespace
}  // namespace metricsd::support
