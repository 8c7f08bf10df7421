#include "clients.h"

#include "ingest_totals.h"
#include "running_clock.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace metricsd::server {
namespace {

constexpr std::size_t kLongestId = 64;
constexpr std::size_t kLeastGone = 3;     // bytes
constexpr std::size_t kLeastClient = 12;  // bytes
constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

// Of one that never had anything here nothing can be counted twice.
bool has_had_anything(const Client& client) {
  return client.records.emitted > 0 || !client.streams.empty() || !client.losses.empty();
}

ClientReport report_of(const Client& client) {
  return {.uid = client.uid,
          .pid = client.pid,
          .client_id = client.id,
          .connected = client.connection.has_value(),
          .records = client.records};
}

void save_gone(StateWriter& out, uid_t uid, std::string_view id, bool is_forgotten) {
  out.u64(uid);
  out.text(id);
  out.u8(is_forgotten ? 1 : 0);
}

}  // namespace

Client* Clients::find(uid_t uid, std::string_view client_id) {
  const auto found = table_.find(client_key(uid, client_id));
  return found == table_.end() ? nullptr : found->second.get();
}

Result<Client*> Clients::greet(uid_t uid, const ipc::HelloMessage& hello, Client::Connection connection,
                               std::int64_t now_ns, std::uint64_t& gap) {
  Client* client = find(uid, hello.client_id);
  const bool is_new = client == nullptr;
  if (is_new) {
    if (const auto room = make_room(uid, now_ns); !room) return room.error();
    client = &add(uid, hello.client_id);
  } else if (!client->connection) {
    end_idle(*client);
  }
  mark(*client);
  client->connection = connection;
  client->pid = hello.pid;
  client->moved.clear();
  gap = 0;
  const auto has_begun = [](const ipc::StreamPosition& position) { return position.first_seq > 1; };
  // One that is new to us begins where the client begins: what came before was another daemon's.
  if (is_new) client->has_a_past = std::any_of(hello.streams.begin(), hello.streams.end(), has_begun);
  for (const ipc::StreamPosition& position : hello.streams) {
    // A name takes no room: where it begins is known without it.
    if (!client->has_a_past && !has_begun(position)) continue;
    StreamState* const stream = open(*client, position.stream, position.first_seq - 1);
    if (stream != nullptr) gap += move(*client, stream->folded, position, 0).gap;
  }
  return client;
}

void Clients::leave(Client& client, Client::Connection connection, std::int64_t now_ns) {
  if (client.connection != connection) return;
  client.connection.reset();
  set_idle(client, now_ns);
  mark(client);
}

void Clients::forget(Client& client) {
  erase(client, false);
}

Result<Advance> Clients::advance(Client& client, const ipc::StreamPosition& position, std::uint64_t count) {
  mark(client);
  const std::uint64_t before = position.first_seq - 1;
  StreamState* const stream = open(client, position.stream, client.has_a_past ? before : 0);
  if (stream == nullptr) {
    client.records.emitted += count;
    note(client, {.stream = position.stream, .folded = before + count, .durable = before + count});
    return Errc::limit_reached;
  }
  const Advance advanced = move(client, stream->folded, position, count);
  note(client, progress_of(position.stream, *stream));
  return advanced;
}

std::vector<ipc::StreamProgress> Clients::progress(const Client& client,
                                                   const std::vector<ipc::StreamPosition>& streams) const {
  std::vector<ipc::StreamProgress> progress;
  for (const ipc::StreamPosition& position : streams) {
    const auto found = client.streams.find(position.stream);
    if (found != client.streams.end()) {
      progress.push_back(progress_of(position.stream, found->second));
    } else if (position.first_seq == 1 && !client.has_a_past) {
      progress.push_back({.stream = position.stream, .folded = 0, .durable = 0});  // a name takes no room
    }
  }
  return progress;
}

std::vector<ipc::StreamProgress> Clients::take_progress(Client& client) {
  return std::exchange(client.moved, {});
}

void Clients::report(std::vector<ClientReport>& out, std::size_t most) const {
  for (const auto& [key, client] : table_) {
    if (out.size() >= most) return;
    if (client->connection) out.push_back(report_of(*client));
  }
  for (auto latest = idle_.rbegin(); latest != idle_.rend() && out.size() < most; ++latest) {
    out.push_back(report_of(**latest));
  }
}

// The stream, which begins behind `from` if we do not know it; null where there is no room for it.
StreamState* Clients::open(Client& client, std::uint32_t stream, std::uint64_t from) {
  const auto known = client.streams.find(stream);
  if (known != client.streams.end()) return &known->second;
  UserClients& user = *client.user;
  while (!has_room_for_stream(user)) {
    if (evict_for(user.streams, &UserClients::streams)) continue;
    client.has_a_past = true;  // should there be room later, what was refused till then is no gap
    return nullptr;
  }
  ++streams_;
  ++user.streams;
  // What came before is not ours to keep.
  return &client.streams.emplace(stream, StreamState{.folded = from, .durable = from}).first->second;
}

Advance Clients::move(Client& client, std::uint64_t& folded, const ipc::StreamPosition& position,
                      std::uint64_t count) {
  const std::uint64_t before = position.first_seq - 1;
  const std::uint64_t last = before + count;
  if (last <= folded) return {.known = count, .gap = 0};
  const Advance advance{.known = folded > before ? folded - before : 0,
                        .gap = before > folded ? before - folded : 0};
  client.records.emitted += last - folded;
  client.records.dropped += advance.gap;
  folded = last;
  return advance;
}

ipc::StreamProgress Clients::progress_of(std::uint32_t stream, const StreamState& state) const {
  const bool lives_with_us = durability_ == Durability::of_the_daemon;
  return {.stream = stream, .folded = state.folded, .durable = lives_with_us ? state.folded : state.durable};
}

void Clients::note(Client& client, const ipc::StreamProgress& progress) {
  const auto told = std::find_if(client.moved.rbegin(), client.moved.rend(),
                                 [&](const auto& each) { return each.stream == progress.stream; });
  if (told == client.moved.rend()) {
    client.moved.push_back(progress);
    return;
  }
  told->folded = std::max(told->folded, progress.folded);
  told->durable = std::max(told->durable, progress.durable);
}

Result<> Clients::make_room(uid_t uid, std::int64_t now_ns) {
  while (!idle_.empty() && now_ns - idle_.front()->idle_since_ns >= limits::kClientIdleNs) {
    evict(*idle_.front());
  }
  if (table_.size() < limits::kClients) return {};
  const auto user = users_.find(uid);
  const std::size_t taken = user == users_.end() ? 0 : user->second.clients;
  return evict_for(taken, &UserClients::clients) ? Result<>() : Errc::limit_reached;
}

// No user has more than are left: however many users there are, the next one finds some.
bool Clients::has_room_for_stream(const UserClients& user) const {
  return streams_ < limits::kClientStreams && user.streams < limits::kClientStreams - streams_;
}

// For a user who has taken so much of that share: the greediest who has a client to give gives one, if it has
// taken no less. False where none is to be had.
bool Clients::evict_for(std::size_t taken, std::size_t UserClients::*share) {
  const UserClients* greediest = nullptr;
  for (const auto& [uid, user] : users_) {
    if (user.idle.empty() || user.*share < taken) continue;
    if (greediest == nullptr || user.*share > greediest->*share) greediest = &user;
  }
  if (greediest == nullptr) return false;
  evict(*greediest->idle.front());
  return true;
}

void Clients::evict(Client& client) {
  erase(client, has_had_anything(client));
}

void Clients::erase(Client& client, bool is_forgotten) {
  if (!client.connection) end_idle(client);
  if (durability_ == Durability::of_checkpoints) {
    changed_.erase(&client);
    saved_.erase(&client);
    note_gone(client, is_forgotten);
  }
  if (is_forgotten) forgotten_.add(client.uid, client.id);
  streams_ -= client.streams.size();
  client.user->streams -= client.streams.size();
  if (--client.user->clients == 0) users_.erase(client.uid);
  table_.erase(client_key(client.uid, client.id));
}

Client& Clients::add(uid_t uid, std::string_view client_id) {
  forgotten_.remove(uid, client_id);
  auto fresh = std::make_unique<Client>();
  fresh->uid = uid;
  fresh->id = client_id;
  fresh->user = &users_[uid];
  ++fresh->user->clients;
  return *table_.emplace(client_key(uid, client_id), std::move(fresh)).first->second;
}

void Clients::set_idle(Client& client, std::int64_t since_ns) {
  client.idle_since_ns = since_ns;
  client.idle_place = idle_.insert(idle_.end(), &client);
  client.idle_place_of_user = client.user->idle.insert(client.user->idle.end(), &client);
}

void Clients::end_idle(Client& client) {
  idle_.erase(client.idle_place);
  client.user->idle.erase(client.idle_place_of_user);
}

void Clients::mark(Client& client) {
  if (durability_ == Durability::of_checkpoints) changed_.insert(&client);
}

// A list longer than what there can be would be no shortcut, and nobody may be saving.
void Clients::note_gone(const Client& client, bool is_forgotten) {
  if (is_gone_list_full_) return;
  gone_.push_back({client.uid, client.id, is_forgotten});
  if (gone_.size() <= limits::kClients) return;
  is_gone_list_full_ = true;
  gone_ = {};
}

// ---- Saved state ----------------------------------------------------------------------------------------
//
//   clients = is_whole (1) count gone* count client*     one that is gone may have come again
//   gone    = uid id is_forgotten (1)                    of all: only who is forgotten
//   client  = uid id pid has_a_past (1) is_connected (1) idle_since ledger count loss* count stream*
//   ledger  = emitted folded rejected dropped
//   loss    = sink cause operations                             of its life
//   stream  = number folded

void Clients::save_changed(StateWriter& out) {
  if (is_gone_list_full_) return save_all(out);
  out.u8(0);
  out.u64(gone_.size());
  for (const Gone& each : gone_) save_gone(out, each.uid, each.id, each.is_forgotten);
  out.u64(changed_.size());
  for (Client* client : changed_) save(out, *client, false);
  gone_.clear();
  saved_.merge(changed_);
  changed_.clear();
}

void Clients::save_all(StateWriter& out) {
  out.u8(1);
  out.u64(forgotten_.size());
  forgotten_.for_each([&out](uid_t uid, std::string_view id) { save_gone(out, uid, id, true); });
  out.u64(table_.size());
  for (const auto& [key, client] : table_) save(out, *client, true);
  if (durability_ != Durability::of_checkpoints) return;
  for (const auto& [key, client] : table_) saved_.insert(client.get());
  is_gone_list_full_ = false;
  gone_.clear();
  changed_.clear();
}

void Clients::save(StateWriter& out, Client& client, bool whole) {
  out.u64(client.uid);
  out.text(client.id);
  out.u64(client.pid);
  out.u8(client.has_a_past ? 1 : 0);
  out.u8(client.connection ? 1 : 0);
  out.i64(client.idle_since_ns);
  out.u64(client.records.emitted);
  out.u64(client.records.folded);
  out.u64(client.records.rejected);
  out.u64(client.records.dropped);
  save_drop_counts(out, client.losses);
  const auto is_saved = [whole](const auto& stream) {
    return whole || stream.second.saved != stream.second.folded;
  };
  out.u64(static_cast<std::uint64_t>(std::count_if(client.streams.begin(), client.streams.end(), is_saved)));
  for (auto& stream : client.streams) {
    if (!is_saved(stream)) continue;
    out.u64(stream.first);
    out.u64(stream.second.folded);
    stream.second.saved = stream.second.folded;
  }
}

void Clients::load(StateReader& in) {
  if (in.u8() != 0) {
    idle_.clear();
    table_.clear();
    users_.clear();
    forgotten_.clear();
    streams_ = 0;
  }
  const std::size_t gone = in.count(kAny, kLeastGone);
  for (std::size_t i = 0; i < gone && !in.failed(); ++i) load_gone(in);
  const std::size_t clients = in.count(kAny, kLeastClient);
  for (std::size_t i = 0; i < clients && !in.failed(); ++i) load_client(in);
}

void Clients::load_gone(StateReader& in) {
  const auto uid = static_cast<uid_t>(in.u64(std::numeric_limits<uid_t>::max()));
  const std::string_view id = in.text(kLongestId);
  const bool is_forgotten = in.u8() != 0;
  if (in.failed()) return;
  if (Client* const client = find(uid, id)) {
    erase(*client, is_forgotten);
  } else if (is_forgotten) {
    forgotten_.add(uid, id);
  } else {
    forgotten_.remove(uid, id);
  }
}

void Clients::load_client(StateReader& in) {
  const auto uid = static_cast<uid_t>(in.u64(std::numeric_limits<uid_t>::max()));
  const std::string_view id = in.text(kLongestId);
  if (in.failed()) return;
  Client* client = find(uid, id);
  if (client == nullptr) {
    client = &add(uid, id);
  } else if (!client->connection) {
    end_idle(*client);
  }
  client->pid = in.u64();
  client->has_a_past = in.u8() != 0;
  client->connection.reset();
  if (in.u8() != 0) client->connection = 0;
  const std::int64_t idle_since_ns = load_running_ns(in);
  if (!client->connection) set_idle(*client, idle_since_ns);
  client->records.emitted = in.u64();
  client->records.folded = in.u64();
  client->records.rejected = in.u64();
  client->records.dropped = in.u64();
  client->losses = load_drop_counts(in);
  const std::size_t streams = in.count(limits::kStreams, 2);
  for (std::size_t i = 0; i < streams && !in.failed(); ++i) {
    const auto number = static_cast<std::uint32_t>(in.u64(limits::kStreams - 1));
    const std::uint64_t folded = in.u64(2 * limits::kWhole);
    const auto [stream, is_new] = client->streams.try_emplace(number);
    stream->second.folded = folded;
    if (!is_new) continue;
    ++streams_;
    ++client->user->streams;
  }
}

std::vector<Client::Connection> Clients::settle() {
  std::vector<Client::Connection> told;
  for (Client* client : saved_) {
    for (auto& [number, stream] : client->streams) {
      if (stream.saved == StreamState::kNever || stream.saved <= stream.durable) continue;
      stream.durable = stream.saved;
      if (client->connection) note(*client, progress_of(number, stream));
    }
    if (client->connection && !client->moved.empty()) told.push_back(*client->connection);
  }
  saved_.clear();
  return told;
}

void Clients::restore(const Clients& others, const IsOurs& is_ours, std::int64_t now_ns) {
  for (const auto& [key, other] : others.table_) {
    if (table_.contains(key) || !is_ours(other->uid, other->id)) continue;
    Client& client = add(other->uid, other->id);
    client.pid = other->pid;
    client.has_a_past = other->has_a_past;
    client.records = other->records;
    client.losses = other->losses;
    for (const auto& [number, stream] : other->streams) {
      client.streams.emplace(number, StreamState{.folded = stream.folded, .durable = stream.folded});
    }
    streams_ += client.streams.size();
    client.user->streams += client.streams.size();
    set_idle(client, other->connection ? now_ns : std::min(other->idle_since_ns, now_ns));
    mark(client);
  }
  others.forgotten_.for_each([&](uid_t uid, std::string_view id) {
    if (is_ours(uid, id) && find(uid, id) == nullptr) forgotten_.add(uid, id);
  });
  const auto is_idle_longer = [](const Client* a, const Client* b) {
    return a->idle_since_ns < b->idle_since_ns;
  };
  idle_.sort(is_idle_longer);
  for (auto& [uid, user] : users_) user.idle.sort(is_idle_longer);
}

}  // namespace metricsd::server
