#include "object_store_process.h"

#include "object_store.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{ends[0], ends[1]};
}

// All bytes until the other end is closed.
std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 256> block{};
  for (ssize_t bytes = 0; (bytes = ::read(fd, block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(bytes));
  }
  return text;
}

bool write_text(int fd, std::string_view text) {
  return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<std::filesystem::path> make_directory() {
  std::error_code error;
  const auto base = std::filesystem::temp_directory_path(error);
  std::string name = (error ? "/tmp" : base) / "objectbench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return std::nullopt;
  return name;
}

// The life of the store's process: tells its URL, serves until the lifeline is cut.
int store_main(unsigned connections, int url_pipe, int lifeline) {
  // A Ctrl-C reaches the whole group; the users' last transfers still need their store.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  const auto directory = make_directory();
  if (!directory) {
    std::perror("objectbench: no directory for the object store");
    return 1;
  }
  {
    ObjectStore store(*directory, connections);
    if (store.bind() && write_text(url_pipe, store.url())) {
      ::close(url_pipe);
      std::thread watcher([&] {
        read_to_end(lifeline);
        store.stop();
      });
      store.serve();
      watcher.join();
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(*directory, ignored);
  return 0;
}

}  // namespace

std::optional<ObjectStoreProcess> ObjectStoreProcess::start(unsigned connections) {
  const auto url_pipe = make_pipe();
  const auto lifeline = make_pipe();
  const pid_t pid = url_pipe && lifeline ? ::fork() : -1;
  if (pid < 0) {
    std::perror("objectbench: no process for the object store");
    return std::nullopt;
  }
  if (pid == 0) {
    ::close(url_pipe->read_end);
    ::close(lifeline->write_end);
    ::_exit(store_main(connections, url_pipe->write_end, lifeline->read_end));
  }
  ::close(url_pipe->write_end);
  ::close(lifeline->read_end);
  const auto url = parse_url(read_to_end(url_pipe->read_end));
  ::close(url_pipe->read_end);
  ObjectStoreProcess process(pid, lifeline->write_end, url.value_or(ObjectUrl{}));
  if (!url) {
    std::fputs("objectbench: the object store could not listen on 127.0.0.1\n", stderr);
    return std::nullopt;
  }
  return process;
}

ObjectStoreProcess::ObjectStoreProcess(pid_t pid, int lifeline, ObjectUrl url)
    : pid_(pid), lifeline_(lifeline), url_(std::move(url)) {}

ObjectStoreProcess::ObjectStoreProcess(ObjectStoreProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      lifeline_(std::exchange(other.lifeline_, -1)),
      url_(std::move(other.url_)) {}

ObjectStoreProcess::~ObjectStoreProcess() {
  if (pid_ < 0) return;
  ::close(lifeline_);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace metricsd::tools
