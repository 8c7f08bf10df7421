#include "spawned_gateway.h"

#include "program_search.h"

#include <metricsd/models/errors.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
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
// descriptor 3 is the lifeline, at whose end `read` ends; descriptor 4 the sign of life, which only the
// gateway keeps.
constexpr int kLifeline = 3;
constexpr int kSignOfLife = 4;
constexpr const char* kScript =
    "( prometheus-pushgateway --web.listen-address=\"$1\" --persistence.file= 3<&- & "
    "gateway=$!; exec 4>&-; read -r _ <&3; kill \"$gateway\" ) &";

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

// Nobody writes to the pipe: it is readable once it has ended.
bool has_ended(const UniqueFd& sign_of_life, std::chrono::milliseconds within) {
  pollfd waited{sign_of_life.get(), POLLIN, 0};
  return ::poll(&waited, 1, static_cast<int>(within.count())) > 0;
}

// "" once it listens, or why it does not.
std::string wait_until_it_listens(std::uint16_t port, const UniqueFd& sign_of_life) {
  const std::string gateway = std::string(kProgram) + " on 127.0.0.1:" + std::to_string(port);
  const auto deadline = std::chrono::steady_clock::now() + kStart;
  while (!has_ended(sign_of_life, kLookInterval)) {
    if (listens(port)) return {};
    if (std::chrono::steady_clock::now() >= deadline) return gateway + " does not listen";
  }
  return gateway + " ended at once";
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// Its ends stand above the script's descriptors, of which none may be taken for another.
std::optional<Pipe> make_pipe() {
  constexpr int kLowest = kSignOfLife + 1;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const UniqueFd low_read_end(ends[0]);
  const UniqueFd low_write_end(ends[1]);
  Pipe pipe{UniqueFd(::fcntl(ends[0], F_DUPFD_CLOEXEC, kLowest)),
            UniqueFd(::fcntl(ends[1], F_DUPFD_CLOEXEC, kLowest))};
  if (!pipe.read_end.valid() || !pipe.write_end.valid()) return std::nullopt;
  return pipe;
}

// A process that hears every signal as by default, in a session of its own, without input and output.
class SpawnPlan {
 public:
  SpawnPlan(int lifeline, int sign_of_life) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, lifeline, kLifeline);
    ::posix_spawn_file_actions_adddup2(&actions_, sign_of_life, kSignOfLife);
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
  if (program_error(kProgram) != 0) {
    why = std::string(kProgram) + " is not installed";
    return std::nullopt;
  }
  auto lifeline = make_pipe();
  auto sign_of_life = make_pipe();
  if (!lifeline || !sign_of_life) {
    why = last_system_error().message();
    return std::nullopt;
  }
  const std::uint16_t port = free_port();
  const SpawnPlan plan(lifeline->read_end.get(), sign_of_life->write_end.get());
  if (port == 0 || !plan.run("127.0.0.1:" + std::to_string(port))) {
    why = "there is no port or no shell to be had";
    return std::nullopt;
  }
  sign_of_life->write_end = UniqueFd();
  why = wait_until_it_listens(port, sign_of_life->read_end);
  if (!why.empty()) return std::nullopt;
  return SpawnedGateway(std::move(lifeline->write_end), port);
}

}  // namespace metricsd::tools
