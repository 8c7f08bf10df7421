// The clients that want to know what became of their records, and how far each of their streams has come:
// what makes a record count once, however often it is sent.
//
// Of each client, at any moment: emitted = folded + rejected + dropped.
//
// Where checkpoints are made, a record that is folded is durable once a checkpoint holds it: what changed is
// saved, and settle() says later that it is durable. Elsewhere what is folded is as durable as it gets.
//
// Whoever takes much makes room first: where there are as many clients or streams as may be, the user with
// the most gives those of it that have no connection, and nobody gives for who has more. Who gave is
// remembered (forgotten_clients.h), since what it sends again may have been counted.
#pragma once

#include "forgotten_clients.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/drop_counts.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/kinds/gauge.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/string_table.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <sys/types.h>

namespace metricsd::server {

// Records by what became of them.
struct RecordCounts {
  std::uint64_t emitted = 0;  // numbers that the streams have come past
  std::uint64_t folded = 0;
  std::uint64_t rejected = 0;
  std::uint64_t dropped = 0;  // holes in the sequence, and what the client itself took back
};

// What the status says of one client.
struct ClientReport {
  uid_t uid = 0;
  std::uint64_t pid = 0;
  std::string client_id;
  bool connected = false;
  RecordCounts records;
};

// How far one stream has come.
struct StreamState {
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  std::uint64_t folded = 0;      // the last number taken
  std::uint64_t saved = kNever;  // when it was saved last
  std::uint64_t durable = 0;     // the last that a checkpoint holds
};

struct Client;

// What the clients of one user take of the room.
struct UserClients {
  std::size_t clients = 0;
  std::size_t streams = 0;
  std::list<Client*> idle;  // longest idle first
};

struct Client {
  using Connection = Gauge::Owner;

  uid_t uid = 0;
  std::string id;
  std::uint64_t pid = 0;
  std::optional<Connection> connection;  // of its latest hello, while it is open
  RecordCounts records;

  std::unordered_map<std::uint32_t, StreamState> streams;
  std::vector<ipc::StreamProgress> moved;  // what it was sent of, since progress was told last
  DropCounts losses;                       // of its life, as it told of them last
  bool has_a_past = false;                 // numbers that we never took: a new stream begins where it comes
  std::int64_t idle_since_ns = 0;

  // Where it has no connection: among all, and among its user's.
  std::list<Client*>::iterator idle_place;
  std::list<Client*>::iterator idle_place_of_user;
  UserClients* user = nullptr;
};

// How many of a message's records are new, and how many before them never came.
struct Advance {
  std::uint64_t known = 0;  // the first so many have been taken before
  std::uint64_t gap = 0;
};

enum class Durability : std::uint8_t {
  of_the_daemon,   // nothing is kept beyond it
  of_checkpoints,  // what they hold
};

// One shard's; one thread. A client that has no connection goes after limits::kClientIdleNs, or sooner where
// there is no more room.
class Clients {
 public:
  // Of a client by its user and id.
  using IsOurs = std::function<bool(uid_t, std::string_view client_id)>;

  explicit Clients(Durability durability = Durability::of_the_daemon) : durability_(durability) {}
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Null where it is not known.
  [[nodiscard]] Client* find(uid_t uid, std::string_view client_id);
  // It had to make room and has not been greeted since: nobody knows any more what of it was counted.
  [[nodiscard]] bool has_forgotten(uid_t uid, std::string_view client_id) const {
    return forgotten_.has(uid, client_id);
  }
  // The client of this hello, whose connection is `connection` from now on. What it can't send any more
  // counts as dropped: `gap` of them. Errc::limit_reached where nobody makes room for it.
  [[nodiscard]] Result<Client*> greet(uid_t uid, const ipc::HelloMessage& hello,
                                      Client::Connection connection, std::int64_t now_ns, std::uint64_t& gap);
  // Its connection is gone; unless a later one has taken its place.
  void leave(Client& client, Client::Connection connection, std::int64_t now_ns);
  // What it told of its losses has changed.
  void note_losses(Client& client) { mark(client); }
  // It will not come again.
  void forget(Client& client);

  // Moves a stream past `count` records, of which the first has this place. Errc::limit_reached for a stream
  // that finds no room: these records count as emitted and are told of as progress all the same, for a client
  // sends again what it hears nothing of.
  [[nodiscard]] Result<Advance> advance(Client& client, const ipc::StreamPosition& position,
                                        std::uint64_t count);
  // How far these are, as far as they are known.
  [[nodiscard]] std::vector<ipc::StreamProgress> progress(
      const Client& client, const std::vector<ipc::StreamPosition>& streams) const;
  // How far those are of which something came, or became durable, since this was asked last. What was known
  // before is among it: the client may not have heard.
  [[nodiscard]] static std::vector<ipc::StreamProgress> take_progress(Client& client);

  // Appends what changed since the last save, each stream and ledger absolute, and who is gone since; or all
  // there is.
  void save_changed(StateWriter& out);
  void save_all(StateWriter& out);
  // Takes over what one save says; the reader has failed where none has written it. Who had a connection
  // counts as connected, for who looks: it is none that this process has.
  void load(StateReader& in);
  // What was saved so far is durable. Those connected whose progress is to be told.
  [[nodiscard]] std::vector<Client::Connection> settle();
  // Takes over those of `others` that are ours, which another process left behind: nobody is connected, and
  // all they have is durable.
  void restore(const Clients& others, const IsOurs& is_ours, std::int64_t now_ns);

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  // Adds up to `most` in all, those connected first.
  void report(std::vector<ClientReport>& out, std::size_t most) const;

 private:
  // Who is gone, since the last save.
  struct Gone {
    uid_t uid = 0;
    std::string id;
    bool is_forgotten = false;  // else it said that it will not come again
  };

  Client& add(uid_t uid, std::string_view client_id);
  StreamState* open(Client& client, std::uint32_t stream, std::uint64_t from);
  static Advance move(Client& client, std::uint64_t& folded, const ipc::StreamPosition& position,
                      std::uint64_t count);
  [[nodiscard]] ipc::StreamProgress progress_of(std::uint32_t stream, const StreamState& state) const;
  static void note(Client& client, const ipc::StreamProgress& progress);
  Result<> make_room(uid_t uid, std::int64_t now_ns);
  [[nodiscard]] bool has_room_for_stream(const UserClients& user) const;
  bool evict_for(std::size_t taken, std::size_t UserClients::*share);
  void evict(Client& client);
  void erase(Client& client, bool is_forgotten);

  void mark(Client& client);
  void note_gone(const Client& client, bool is_forgotten);
  void load_gone(StateReader& in);
  static void save(StateWriter& out, Client& client, bool whole);
  void load_client(StateReader& in);
  void set_idle(Client& client, std::int64_t since_ns);
  void end_idle(Client& client);

  Durability durability_;
  StringTable<std::unique_ptr<Client>> table_;
  std::unordered_map<uid_t, UserClients> users_;  // of these clients, and no others
  std::list<Client*> idle_;                       // longest idle first
  std::size_t streams_ = 0;                       // of all
  ForgottenClients forgotten_;                    // none of them is in the table

  // Only with checkpoints.
  std::unordered_set<Client*> changed_;  // since the last save
  std::unordered_set<Client*> saved_;    // with something that was saved and is not known to be durable
  std::vector<Gone> gone_;
  bool is_gone_list_full_ = false;  // and given up: the next save is of all
};

}  // namespace metricsd::server
