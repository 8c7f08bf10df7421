#include "clients.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <utility>

namespace metricsd::server {
namespace {

std::string key_of(uid_t uid, std::string_view client_id) {
  return std::string(client_id).append(":").append(std::to_string(uid));
}

ipc::StreamProgress progress_of(std::uint32_t stream, std::uint64_t folded) {
  // Without a data directory the store lives as long as the daemon: what is folded is as durable as it gets.
  return {.stream = stream, .folded = folded, .durable = folded};
}

ClientReport report_of(const Client& client) {
  return {.uid = client.uid,
          .pid = client.pid,
          .client_id = client.id,
          .connected = client.connection.has_value(),
          .records = client.records};
}

}  // namespace

Client* Clients::find(uid_t uid, std::string_view client_id) {
  const auto found = table_.find(key_of(uid, client_id));
  return found == table_.end() ? nullptr : found->second.get();
}

Result<Client*> Clients::greet(uid_t uid, const ipc::HelloMessage& hello, Client::Connection connection,
                               std::int64_t now_ns, std::uint64_t& gap) {
  Client* client = find(uid, hello.client_id);
  const bool is_new = client == nullptr;
  if (is_new) {
    if (const auto room = make_room(now_ns); !room) return room.error();
    auto fresh = std::make_unique<Client>();
    client = fresh.get();
    client->uid = uid;
    client->id = hello.client_id;
    table_.emplace(key_of(uid, hello.client_id), std::move(fresh));
  } else if (!client->connection) {
    idle_.erase(client->idle_place);
  }
  client->connection = connection;
  client->pid = hello.pid;
  client->moved.clear();
  gap = 0;
  for (const ipc::StreamPosition& position : hello.streams) {
    // One that is new to us begins where the client begins: what came before was another daemon's.
    if (is_new && position.first_seq > 1) client->has_a_past = true;
    std::uint64_t* const folded = open(*client, position.stream, position.first_seq - 1);
    if (folded != nullptr) gap += move(*client, *folded, position, 0).gap;
  }
  return client;
}

void Clients::leave(Client& client, Client::Connection connection, std::int64_t now_ns) {
  if (client.connection != connection) return;
  client.connection.reset();
  client.idle_since_ns = now_ns;
  client.idle_place = idle_.insert(idle_.end(), &client);
}

void Clients::forget(Client& client) {
  erase(client);
}

Result<Advance> Clients::advance(Client& client, const ipc::StreamPosition& position, std::uint64_t count) {
  const std::uint64_t before = position.first_seq - 1;
  std::uint64_t* const folded = open(client, position.stream, client.has_a_past ? before : 0);
  if (folded == nullptr) {
    client.records.emitted += count;
    note(client, position.stream, before + count);
    return Errc::limit_reached;
  }
  const Advance advanced = move(client, *folded, position, count);
  note(client, position.stream, *folded);
  return advanced;
}

std::vector<ipc::StreamProgress> Clients::progress(const Client& client,
                                                   const std::vector<ipc::StreamPosition>& streams) {
  std::vector<ipc::StreamProgress> progress;
  for (const ipc::StreamPosition& position : streams) {
    const auto found = client.folded.find(position.stream);
    if (found != client.folded.end()) progress.push_back(progress_of(position.stream, found->second));
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

// The last number taken of the stream, which begins behind `from` if we do not know it; null where there is
// no room for it.
std::uint64_t* Clients::open(Client& client, std::uint32_t stream, std::uint64_t from) {
  const auto known = client.folded.find(stream);
  if (known != client.folded.end()) return &known->second;
  // Who is connected goes before who is not.
  while (streams_ >= limits::kClientStreams && !idle_.empty()) erase(*idle_.front());
  if (streams_ >= limits::kClientStreams) {
    client.has_a_past = true;  // should there be room later, what was refused till then is no gap
    return nullptr;
  }
  ++streams_;
  return &client.folded.emplace(stream, from).first->second;
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

void Clients::note(Client& client, std::uint32_t stream, std::uint64_t folded) {
  const auto told = std::find_if(client.moved.rbegin(), client.moved.rend(),
                                 [stream](const auto& each) { return each.stream == stream; });
  if (told == client.moved.rend()) {
    client.moved.push_back(progress_of(stream, folded));
  } else if (told->folded < folded) {
    *told = progress_of(stream, folded);
  }
}

Result<> Clients::make_room(std::int64_t now_ns) {
  while (!idle_.empty() && now_ns - idle_.front()->idle_since_ns >= limits::kClientIdleNs) {
    erase(*idle_.front());
  }
  if (table_.size() < limits::kClients && streams_ < limits::kClientStreams) return {};
  if (idle_.empty()) return table_.size() < limits::kClients ? Result<>() : Errc::limit_reached;
  erase(*idle_.front());
  return {};
}

void Clients::erase(Client& client) {
  if (!client.connection) idle_.erase(client.idle_place);
  streams_ -= client.folded.size();
  table_.erase(key_of(client.uid, client.id));
}

}  // namespace metricsd::server
