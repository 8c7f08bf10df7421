#include "support/fake_daemon.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/passed_descriptor.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <variant>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace metricsd::client::testing {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr int kPollMs = 2;

UniqueFd listen_at(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 64) != 0) {
    throw std::runtime_error("cannot listen at " + path.string());
  }
  return fd;
}

bool is_message(std::string_view line) {
  return line.starts_with(R"({"type")");
}

void send_line(int fd, const std::string& line) {
  static_cast<void>(::send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

FakeDaemon::FakeDaemon(std::filesystem::path socket, bool reads, Answers answers, FakeStore* store)
    : path_(std::move(socket)),
      listener_(listen_at(path_)),
      answers_(answers),
      store_(store),
      state_(store != nullptr ? *store : FakeStore()),
      reads_(reads),
      thread_([this] { run(); }) {}

FakeDaemon::~FakeDaemon() {
  stopping_ = true;
  thread_.join();
  ::unlink(path_.c_str());
}

void FakeDaemon::run() {
  while (!stopping_) {
    std::vector<pollfd> entries{{listener_.get(), POLLIN, 0}};
    if (reads_) {
      for (const Peer& peer : peers_) entries.push_back({peer.fd.get(), POLLIN, 0});
    }
    static_cast<void>(::poll(entries.data(), entries.size(), kPollMs));
    accept_one();
    if (saving_) save_now();
    if (reads_) std::erase_if(peers_, [this](Peer& peer) { return !read_from(peer); });
  }
}

void FakeDaemon::accept_one() {
  UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) return;
  ++connections_;
  peers_.push_back({.fd = std::move(fd), .partial = {}});
}

bool FakeDaemon::read_from(Peer& peer) {
  std::vector<char> chunk(std::size_t{64} << 10);
  while (true) {
    const ssize_t got = ipc::receive(peer.fd.get(), chunk, peer.segment);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    peer.partial.append(chunk.data(), static_cast<std::size_t>(got));
    const std::lock_guard lock(mutex_);
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = peer.partial.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!take(peer, peer.partial.substr(begin, end - begin))) return false;
    }
    peer.partial.erase(0, begin);
  }
}

bool FakeDaemon::take(Peer& peer, const std::string& line) {
  lines_.push_back(line);
  if (!is_message(line)) {
    operation_lines_.push_back(line);
    return true;
  }
  if (answers_ == Answers::nothing) return true;
  ipc::Decoder decoder(limits::kBatchLine);
  const std::string with_end = line + '\n';
  decoder.feed(with_end);
  switch (decoder.next()) {
    case ipc::Decoder::Step::batch: fold(peer, line); break;
    case ipc::Decoder::Step::message:
      if (const auto* hello = std::get_if<ipc::HelloMessage>(&decoder.message()))
        return welcome(peer, *hello);
      if (const auto* samples = std::get_if<ipc::SamplesMessage>(&decoder.message())) fold(peer, *samples);
      if (std::holds_alternative<ipc::FlushMessage>(decoder.message()) && answers_ != Answers::never) {
        acknowledge(peer);
      }
      break;
    default: break;
  }
  return true;
}

bool FakeDaemon::welcome(Peer& peer, const ipc::HelloMessage& hello) {
  if (answers_ == Answers::by_hanging_up) return false;
  peer.client = hello.client_id;
  if (peer.segment.valid()) segments_.push_back(std::move(peer.segment));
  ipc::WelcomeMessage answer;
  if (answers_ == Answers::other_protocol) ++answer.protocol;
  answer.store_id = state_.id;
  answer.known = state_.folded.contains(peer.client);
  answer.forgotten = state_.forgotten.contains(peer.client);
  FakeStore::Streams& streams = state_.folded[peer.client];
  for (const ipc::StreamPosition& each : hello.streams) {
    const auto [at, is_new] = streams.try_emplace(each.stream, each.first_seq - 1);
    answer.streams.push_back({each.stream, at->second, durable(peer.client, each.stream)});
  }
  std::string line;
  ipc::encode(line, answer);
  send_line(peer.fd.get(), line);
  return answers_ != Answers::other_protocol && !answer.forgotten;
}

void FakeDaemon::fold(Peer& peer, const std::string& line) {
  ipc::Decoder decoder(limits::kBatchLine);
  const std::string with_end = line + '\n';
  decoder.feed(with_end);
  static_cast<void>(decoder.next());
  const ipc::Batch& batch = decoder.batch();
  std::uint64_t& folded = state_.folded[peer.client][batch.stream];
  for (std::uint64_t i = 0; i < batch.rows.size(); ++i) {
    const std::uint64_t number = batch.first_seq + i;
    if (number <= folded) {
      ++repeated_;
      continue;
    }
    missing_ += number - folded - 1;
    folded = number;
    const ipc::BatchRow& row = batch.rows[i];
    if (row.shared == ipc::BatchRow::kNoOperation) continue;
    const ipc::SharedFields& shared = batch.shared[row.shared];
    operation_lines_.push_back(shared.operation_type + " " + shared.workload_type + " " + shared.driver +
                               " " + (shared.success ? "true" : "false") + " " + shared.error_code + " " +
                               std::to_string(row.duration_ns) + " " + std::to_string(row.object_size_bytes) +
                               " " + std::to_string(row.retry_count));
  }
  if (answers_ == Answers::all) acknowledge(peer);
}

void FakeDaemon::fold(Peer& peer, const ipc::SamplesMessage& message) {
  std::uint64_t number = message.position ? message.position->first_seq - 1 : 0;
  for (const ipc::Sample& sample : message.samples) {
    if (message.position) {
      std::uint64_t& folded = state_.folded[peer.client][message.position->stream];
      if (++number <= folded) {
        ++repeated_;
        continue;
      }
      missing_ += number - folded - 1;
      folded = number;
    }
    samples_.push_back(sample);
  }
  if (message.position && answers_ == Answers::all) acknowledge(peer);
}

std::uint64_t FakeDaemon::durable(const std::string& client, std::uint32_t stream) const {
  const FakeStore& kept = store_ != nullptr ? *store_ : state_;
  const auto found = kept.folded.find(client);
  if (found == kept.folded.end()) return 0;
  const auto at = found->second.find(stream);
  return at == found->second.end() ? 0 : at->second;
}

void FakeDaemon::acknowledge(Peer& peer) {
  ipc::AckMessage ack;
  for (const auto& [stream, folded] : state_.folded[peer.client]) {
    ack.streams.push_back({stream, folded, durable(peer.client, stream)});
  }
  std::string line;
  ipc::encode(line, ack);
  send_line(peer.fd.get(), line);
}

// By the daemon's own thread, whose the connections are.
void FakeDaemon::save() {
  saving_ = true;
  while (saving_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void FakeDaemon::save_now() {
  const std::lock_guard lock(mutex_);
  store_->folded = state_.folded;
  store_->operations = state_.operations + operation_lines_.size();
  for (Peer& peer : peers_) {
    if (!peer.client.empty()) acknowledge(peer);
  }
  saving_ = false;
}

int FakeDaemon::segment() const {
  const std::lock_guard lock(mutex_);
  return segments_.empty() ? -1 : segments_.back().get();
}

std::vector<std::string> FakeDaemon::operation_lines() const {
  const std::lock_guard lock(mutex_);
  return operation_lines_;
}

std::vector<ipc::Sample> FakeDaemon::samples() const {
  const std::lock_guard lock(mutex_);
  return samples_;
}

std::vector<std::string> FakeDaemon::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::uint64_t FakeDaemon::operations() const {
  const std::lock_guard lock(mutex_);
  return state_.operations + operation_lines_.size();
}

std::vector<std::string> FakeDaemon::of_type(std::string_view type) const {
  const std::string beginning = R"({"type":")" + std::string(type) + '"';
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(found),
               [&](const std::string& line) { return line.starts_with(beginning); });
  return found;
}

}  // namespace metricsd::client::testing
