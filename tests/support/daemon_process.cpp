#include <metricsd/support/daemon_process.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The child's side of fork(): never returns.
[[noreturn]] void become_daemon(const std::vector<std::string>& arguments, const fs::path& output,
                                const fs::path& errors, std::optional<std::uint64_t> max_descriptors) {
  const auto redirect = [](const fs::path& path, int to) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(126);
  };
  redirect(output, STDOUT_FILENO);
  redirect(errors, STDERR_FILENO);
  if (max_descriptors) {
    const rlimit limit{.rlim_cur = *max_descriptors, .rlim_max = *max_descriptors};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(126);
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

// No test leaves state behind that it did not ask for.
std::vector<std::string> without_state(std::vector<std::string> flags) {
  if (std::find(flags.begin(), flags.end(), "--data-dir") == flags.end()) {
    flags.insert(flags.end(), {"--data-dir", "none"});
  }
  return flags;
}

pid_t spawn(std::vector<std::string> flags, const fs::path& output, const fs::path& errors,
            std::optional<std::uint64_t> max_descriptors = std::nullopt) {
  flags.insert(flags.begin(), METRICSD_BINARY);
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno("fork");
  if (pid == 0) become_daemon(flags, output, errors, max_descriptors);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("waitpid");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

Socket connected(int fd, const sockaddr* address, socklen_t size) {
  Socket socket(fd);
  if (::connect(fd, address, size) != 0) throw_errno("connect");
  return socket;
}

// The port in `"web":["127.0.0.1:PORT"`.
std::uint16_t port_in_status(std::string_view status) {
  constexpr std::string_view kKey = R"("web":[")";
  const std::size_t web = status.find(kKey);
  if (web == std::string_view::npos) throw std::runtime_error("no web address in " + std::string(status));
  const std::string_view address = status.substr(web + kKey.size(), status.find('"', web + kKey.size()));
  const std::string_view port = address.substr(address.find(':') + 1);
  std::uint16_t number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  return number;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  close();
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::finish_sending() {
  ::shutdown(fd_, SHUT_WR);
}

bool Socket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string Socket::receive_until(std::string_view end, std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  std::string received;
  char chunk[65536];
  while (end.empty() || received.find(end) == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
    const ssize_t size = ::recv(fd_, chunk, sizeof chunk, 0);
    if (size <= 0) break;
    received.append(chunk, static_cast<std::size_t>(size));
  }
  return received;
}

Socket connect_unix(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) throw std::runtime_error("path too long: " + text);
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return connected(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                   reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Socket connect_loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                   reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

HttpAnswer parse_http_answer(std::string_view bytes) {
  HttpAnswer answer;
  if (!bytes.starts_with("HTTP/1.1 ")) return answer;
  std::from_chars(bytes.data() + 9, bytes.data() + bytes.size(), answer.status);
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return answer;
  answer.head = bytes.substr(0, end + 2);
  answer.body = bytes.substr(end + 4);
  return answer;
}

DaemonProcess::DaemonProcess(const DaemonOptions& options)
    : socket_(options.socket.empty() ? directory_.path() / "metricsd.sock" : options.socket) {
  start(options);
  wait_until_ready();
}

DaemonProcess::~DaemonProcess() {
  if (pid_ > 0) stop(SIGKILL);
  // A daemon built with a sanitizer reports on stderr: no test passes over that.
  const std::string said = log();
  if (said.find("Sanitizer") == std::string::npos && said.find("runtime error:") == std::string::npos) return;
  std::fprintf(stderr, "%s\n", said.c_str());
  std::abort();
}

void DaemonProcess::start(const DaemonOptions& options) {
  std::vector<std::string> flags{"--socket", socket_.string(), "--web.listen-address", "127.0.0.1:0"};
  flags.insert(flags.end(), options.flags.begin(), options.flags.end());
  pid_ = spawn(without_state(std::move(flags)), directory_.path() / "stdout", directory_.path() / "stderr",
               options.max_descriptors);
}

void DaemonProcess::wait_until_ready() {
  const bool ready = eventually([this] {
    if (has_ended(pid_)) return true;
    try {
      http_port_ = port_in_status(status());
    } catch (const std::exception&) {
      return false;
    }
    return http_port_ != 0;
  });
  if (ready && http_port_ != 0) return;
  ::kill(pid_, SIGKILL);
  wait_for(std::exchange(pid_, -1));
  throw std::runtime_error("the daemon did not become ready: " + log());
}

std::string DaemonProcess::log() const {
  return read_file(directory_.path() / "stderr");
}

std::string DaemonProcess::status() const {
  Socket socket = connect();
  socket.send("{\"type\":\"status\"}\n");
  std::string line = socket.receive_until("\n");
  if (line.empty() || line.back() != '\n') throw std::runtime_error("no status: " + line);
  line.pop_back();
  return line;
}

HttpAnswer DaemonProcess::request(std::string_view method, std::string_view target,
                                  std::string_view headers) const {
  Socket socket = connect_loopback(http_port_);
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
  text.append(headers).append("\r\n");
  socket.send(text);
  return parse_http_answer(socket.receive_all());
}

int DaemonProcess::stop(int signal) {
  ::kill(pid_, signal);
  return wait_for(std::exchange(pid_, -1));
}

Ended run_daemon_binary(const std::vector<std::string>& flags) {
  const TemporaryDirectory directory;
  const fs::path output = directory.path() / "stdout";
  const fs::path errors = directory.path() / "stderr";
  const int exit_code = wait_for(spawn(without_state(flags), output, errors));
  return {exit_code, read_file(output), read_file(errors)};
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  while (!condition()) {
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace metricsd::support
