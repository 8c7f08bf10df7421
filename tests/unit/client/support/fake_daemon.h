// A daemon's side of the socket, for tests: takes lines, or refuses to; welcomes and acknowledges, or knows
// nothing of that.
#pragma once

#include <metricsd/ipc/message.h>
#include <metricsd/models/run.h>
#include <metricsd/models/unique_fd.h>
#include <metricsd/support/temporary_directory.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace metricsd::client::testing {

// Waits until `condition` holds, for a generous time; whether it came to hold.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

// What it does with a hello.
enum class Answers {
  all,      // a welcome; then every batch, at once
  welcome,  // and never an acknowledgement, but for a flush
  never,    // the same, and not for a flush either
  nothing,  // as a daemon that knows no hello
  by_hanging_up,
  other_protocol,  // as a daemon of another version of it: a welcome that says so, and hangs up
};

// What a daemon of a data directory has written down: what its successor begins with.
struct FakeStore {
  using Streams = std::map<std::uint32_t, std::uint64_t>;

  std::string id = random_id();
  std::map<std::string, Streams> folded;  // by client
  std::set<std::string> forgotten;        // clients that are to be told so
  std::uint64_t operations = 0;
};

// Listens from construction on, in a thread of its own. Any thread may ask.
class FakeDaemon {
 public:
  // Without a store it has one of its own, and all that it folds is durable; else what save() wrote.
  explicit FakeDaemon(std::filesystem::path socket, bool reads = true, Answers answers = Answers::all,
                      FakeStore* store = nullptr);
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  // Closes every connection, with whatever is unread, and removes the socket.
  ~FakeDaemon();

  // From now on it reads, or stops as one that got SIGSTOP does: connections stay, nothing is taken.
  void set_reading(bool reads) { reads_ = reads; }

  void set_answers(Answers answers) { answers_ = answers; }
  // Writes its store down and says so to those that are connected.
  void save();

  // The descriptor that came with the last hello that brought one; -1: none did.
  [[nodiscard]] int segment() const;
  // Whole lines so far.
  [[nodiscard]] std::vector<std::string> lines() const;
  // In lines, and in batches each once; with those that its store began with.
  [[nodiscard]] std::uint64_t operations() const;
  // Lines of one operation each: of those that came so, and of the batches' rows.
  [[nodiscard]] std::vector<std::string> operation_lines() const;
  // Rows of samples, each once.
  [[nodiscard]] std::vector<ipc::Sample> samples() const;
  // Records that were skipped because their number had been had.
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
  // Numbers that never came.
  [[nodiscard]] std::uint64_t missing() const { return missing_; }
  // Lines whose `type` is this.
  [[nodiscard]] std::vector<std::string> of_type(std::string_view type) const;
  [[nodiscard]] std::uint64_t connections() const { return connections_; }

 private:
  struct Peer {
    UniqueFd fd;
    std::string partial;
    std::string client{};  // as its hello said
    UniqueFd segment{};
  };

  void run();
  void accept_one();
  // False where the peer has gone.
  bool read_from(Peer& peer);
  // Each with the mutex held; false where it hangs up.
  bool take(Peer& peer, const std::string& line);
  bool welcome(Peer& peer, const ipc::HelloMessage& hello);
  void fold(Peer& peer, const std::string& line);
  void fold(Peer& peer, const ipc::SamplesMessage& message);
  void acknowledge(Peer& peer);
  [[nodiscard]] std::uint64_t durable(const std::string& client, std::uint32_t stream) const;
  void save_now();

  std::filesystem::path path_;
  UniqueFd listener_;
  std::vector<Peer> peers_;
  std::atomic<Answers> answers_;
  FakeStore* const store_;
  FakeStore state_;  // guarded by mutex_, as all below
  std::atomic<bool> reads_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> saving_{false};
  std::atomic<std::uint64_t> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;            // guarded by mutex_
  std::vector<std::string> operation_lines_;  // likewise
  std::vector<ipc::Sample> samples_;          // likewise
  // Likewise. All of them: to close one would drop the lock of its client, which is in the same process.
  std::vector<UniqueFd> segments_;
  std::atomic<std::uint64_t> repeated_{0};
  std::atomic<std::uint64_t> missing_{0};
  std::thread thread_;
};

}  // namespace metricsd::client::testing
