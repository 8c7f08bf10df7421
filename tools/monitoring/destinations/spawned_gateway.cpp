#include "spawned_gateway.h"

#include <metricsd/models/errors.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr const char* kProgram = "prometheus-pushgateway";
constexpr std::chrono::seconds kStart{5};
constexpr std::chrono::milliseconds kLookInterval{5};

// The shell that we start makes another and ends, so that what stays is no child of ours. $1 is the address;
// descriptor 3 is the lifeline, at whose end `read` ends.
constexpr const char* kScript =
    "( prometheus-pushgateway --web.listen-address=\"$1\" --persistence.file= 3<&- & "
    "gateway=$!; read -r _ <&3; kill \"$gateway\" ) &";

bool is_installed() {
  const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view left = path == nullptr ? "/usr/bin:/bin" : path;
  while (!left.empty()) {
    const auto end = left.find(':');
    const std::filesystem::path directory(left.substr(0, end));
    if (::access((directory / kProgram).c_str(), X_OK) == 0) return true;
    left = end == std::string_view::npos ? std::string_view() : left.substr(end + 1);
  }
  return false;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

UniqueFd tcp_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

// A port that was free a moment ago; 0 where there is none.
std::uint16_t free_port() {
  const UniqueFd probe = tcp_socket();
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(probe.get(), any, size) != 0 || ::getsockname(probe.get(), any, &size) != 0) return 0;
  return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
  const UniqueFd probe = tcp_socket();
  const sockaddr_in address = loopback(port);
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// A process that hears every signal as by default, in a session of its own, without input and output.
class SpawnPlan {
 public:
  explicit SpawnPlan(int lifeline) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, lifeline, 3);
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  // Runs the script and waits for it, not for what it leaves behind.
  [[nodiscard]] bool run(std::string address) const {
    std::string shell = "sh";
    std::string flag = "-c";
    std::string script = kScript;
    const std::array<char*, 6> words{shell.data(), flag.data(),    script.data(),
                                     shell.data(), address.data(), nullptr};
    pid_t pid = 0;
    if (::posix_spawn(&pid, "/bin/sh", &actions_, &attributes_, words.data(), environ) != 0) return false;
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::optional<SpawnedGateway> SpawnedGateway::start(std::string& why) {
  if (!is_installed()) {
    why = std::string(kProgram) + " is not installed";
    return std::nullopt;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    why = last_system_error().message();
    return std::nullopt;
  }
  const UniqueFd read_end(ends[0]);
  UniqueFd lifeline(ends[1]);
  const std::uint16_t port = free_port();
  if (port == 0 || !SpawnPlan(read_end.get()).run("127.0.0.1:" + std::to_string(port))) {
    why = "there is no port or no shell to be had";
    return std::nullopt;
  }
  const auto deadline = std::chrono::steady_clock::now() + kStart;
  while (!listens(port)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      why = std::string(kProgram) + " does not listen on 127.0.0.1:" + std::to_string(port);
      return std::nullopt;
    }
    std::this_thread::sleep_for(kLookInterval);
  }
  return SpawnedGateway(std::move(lifeline), port);
}

}  // namespace metricsd::tools
