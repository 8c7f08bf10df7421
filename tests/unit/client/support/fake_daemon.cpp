#include "support/fake_daemon.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

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

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

FakeDaemon::FakeDaemon(std::filesystem::path socket, bool reads)
    : path_(std::move(socket)), listener_(listen_at(path_)), reads_(reads), thread_([this] { run(); }) {}

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
    if (reads_) std::erase_if(peers_, [this](Peer& peer) { return !read_from(peer); });
  }
}

void FakeDaemon::accept_one() {
  UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) return;
  ++connections_;
  peers_.push_back({std::move(fd), {}});
}

bool FakeDaemon::read_from(Peer& peer) {
  std::vector<char> chunk(std::size_t{64} << 10);
  while (true) {
    const ssize_t got = ::recv(peer.fd.get(), chunk.data(), chunk.size(), 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    peer.partial.append(chunk.data(), static_cast<std::size_t>(got));
    const std::lock_guard lock(mutex_);
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = peer.partial.find('\n', begin)) != std::string::npos; begin = end + 1) {
      lines_.push_back(peer.partial.substr(begin, end - begin));
    }
    peer.partial.erase(0, begin);
  }
}

std::vector<std::string> FakeDaemon::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::uint64_t FakeDaemon::operations() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(
      std::count_if(lines_.begin(), lines_.end(), [](const std::string& line) { return !is_message(line); }));
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
