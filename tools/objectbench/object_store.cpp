#include "object_store.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kLongestKey = 120;  // its hex fits a file name of 255 bytes

std::string to_hex(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * key.size());
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 0xF];
  }
  return hex;
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0) return false;
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// An open file that closes itself.
class File {
 public:
  File(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// One block of a file towards a client.
bool send_block(int fd, std::size_t offset, std::size_t length, httplib::DataSink& sink) {
  thread_local std::vector<char> block(kReadBytes);
  const ssize_t bytes = ::pread(fd, block.data(), std::min(length, block.size()), static_cast<off_t>(offset));
  return bytes > 0 && sink.write(block.data(), static_cast<std::size_t>(bytes));
}

}  // namespace

struct ObjectStore::State {
  using ReadBody = httplib::ContentReader;

  State(std::filesystem::path where, unsigned connections) : directory(std::move(where)) {
    // A connection that is kept alive holds its thread.
    server.new_task_queue = [connections] { return new httplib::ThreadPool(connections); };
    server.set_socket_options([this](socket_t socket) { listener = socket; });
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(std::numeric_limits<std::size_t>::max());
    server.Put("/(.+)", [this](const httplib::Request& request, httplib::Response& response,
                               const ReadBody& body) { put(request, response, body); });
    server.Get("/(.+)", [this](const httplib::Request& request, httplib::Response& response) {
      get(request, response);
    });
    server.Delete("/(.+)", [this](const httplib::Request& request, httplib::Response& response) {
      remove(request, response);
    });
  }

  // A key that is too long to be stored is cut to one that is too long as well, so it finds nothing.
  [[nodiscard]] std::filesystem::path file_of(const httplib::Request& request) const {
    return directory / to_hex(request.path.substr(1, kLongestKey));
  }

  void put(const httplib::Request& request, httplib::Response& response, const ReadBody& body) {
    if (request.path.size() > kLongestKey) {
      pass_over(body);
      response.status = 414;
      return;
    }
    const auto temporary = directory / ("upload-" + std::to_string(uploads.fetch_add(1)));
    const auto target = file_of(request);
    const bool replaces = ::access(target.c_str(), F_OK) == 0;
    const bool stored = receive(temporary, body) && ::rename(temporary.c_str(), target.c_str()) == 0;
    if (!stored) {
      ::unlink(temporary.c_str());
      pass_over(body);
    }
    response.status = !stored ? 500 : replaces ? 204 : 201;
  }

  // What is left of a body would be taken for the connection's next request.
  static void pass_over(const ReadBody& body) {
    body([](const char*, std::size_t) { return true; });
  }

  static bool receive(const std::filesystem::path& path, const ReadBody& body) {
    const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
    return file.valid() &&
           body([&](const char* data, std::size_t size) { return write_all(file.fd(), data, size); });
  }

  void get(const httplib::Request& request, httplib::Response& response) const {
    const auto file = std::make_shared<const File>(file_of(request), O_RDONLY);
    struct stat status {};
    if (!file->valid() || ::fstat(file->fd(), &status) != 0) {
      response.status = 404;
      return;
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
      response.set_content("", "application/octet-stream");
      return;
    }
    response.set_content_provider(size, "application/octet-stream",
                                  [file](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                    return send_block(file->fd(), offset, length, sink);
                                  });
  }

  void remove(const httplib::Request& request, httplib::Response& response) const {
    response.status = ::unlink(file_of(request).c_str()) == 0 ? 204 : 404;
  }

  std::filesystem::path directory;
  std::string url;
  socket_t listener = INVALID_SOCKET;
  std::atomic<std::uint64_t> uploads{0};
  httplib::Server server;
};

ObjectStore::ObjectStore(std::filesystem::path directory, unsigned connections)
    : state_(std::make_unique<State>(std::move(directory), connections)) {}

ObjectStore::~ObjectStore() = default;

bool ObjectStore::bind() {
  const int port = state_->server.bind_to_any_port("127.0.0.1");
  if (port <= 0) return false;
  // The library lets five connections wait; where more users come at once, the next would try again a second
  // later.
  ::listen(state_->listener, SOMAXCONN);
  state_->url = "http://127.0.0.1:" + std::to_string(port);
  return true;
}

const std::string& ObjectStore::url() const {
  return state_->url;
}

void ObjectStore::serve() {
  state_->server.listen_after_bind();
}

void ObjectStore::stop() {
  // The library ignores a stop that comes before it listens.
  while (!state_->server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  state_->server.stop();
}

}  // namespace metricsd::tools
