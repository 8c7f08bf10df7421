#include "file_status.h"
#include "lock_file.h"
#include "unix_socket.h"

#include <metricsd/ipc/accounts.h>
#include <metricsd/ipc/endpoint.h>
#include <metricsd/ipc/socket_directory.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog =
    4096;  // a burst of clients waits here instead of being refused; the kernel cuts it further
constexpr mode_t kPermissions = 07777;

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::string octal(mode_t mode) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), mode & kPermissions, 8).ptr;
  return "0" + std::string(digits.data(), end);
}

// Where a listening stream socket is bound; an empty path for any other.
fs::path path_of_listener(int fd) {
  const auto option = [fd](int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  if (option(SO_DOMAIN) != AF_UNIX || option(SO_TYPE) != SOCK_STREAM || option(SO_ACCEPTCONN) != 1) return {};
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (size <= offsetof(sockaddr_un, sun_path)) return {};
  return std::string(address.sun_path, ::strnlen(address.sun_path, size - offsetof(sockaddr_un, sun_path)));
}

}  // namespace

// All that a daemon holds to own a path, taken step by step; the destructor gives back what was taken so far.
class Endpoint::Claim {
 public:
  explicit Claim(const EndpointOptions& options)
      : options_(options), directory_path_(directory_of(options.path)), name_(options.path.filename()) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { remove_socket(); }

  Result<> take();
  Result<> inherit(UniqueFd listener);

  [[nodiscard]] const std::string& explanation() const { return explanation_; }
  [[nodiscard]] const fs::path& path() const { return options_.path; }
  [[nodiscard]] int listener() const { return listener_.get(); }

 private:
  Result<> check_path();
  Result<> open_directory();
  Result<> check_directory();
  Result<> take_lock();
  Result<> clear_path();
  Result<> bind();
  Result<> set_group();
  Result<> set_mode();
  Result<> listen();

  Result<> clear_stale_socket();
  Result<> refuse_in_use();
  void remove_socket();

  Result<> refuse(const error_code& error, std::string why);
  Result<> refuse_with_errno(const std::string& what);

  EndpointOptions options_;
  fs::path directory_path_;
  std::string name_;  // of the socket within the directory
  std::string explanation_;

  // Released from the last to the first. The socket's entry goes before all of them: while the listener is
  // open, the kernel gives its inode to no other file, so that remove_socket() cannot mistake a successor's
  // for ours.
  UniqueFd directory_;
  std::optional<LockFile> lock_;
  UniqueFd listener_;
  std::optional<FileId> bound_;
};

Result<> Endpoint::Claim::take() {
  using Step = Result<> (Claim::*)();
  constexpr std::array<Step, 9> kSteps{&Claim::check_path, &Claim::open_directory, &Claim::check_directory,
                                       &Claim::take_lock,  &Claim::clear_path,     &Claim::bind,
                                       &Claim::set_group,  &Claim::set_mode,       &Claim::listen};
  for (const Step step : kSteps) {
    if (auto done = (this->*step)(); !done) return done;
  }
  return {};
}

// bound_ stays empty: the path is not ours to remove.
Result<> Endpoint::Claim::inherit(UniqueFd listener) {
  listener_ = std::move(listener);
  const int flags = ::fcntl(listener_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(listener_.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(listener_.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return refuse_with_errno("cannot use the socket that was handed over");
  }
  return listen();
}

Result<> Endpoint::Claim::check_path() {
  if (!is_socket_path(path())) {
    return refuse(Errc::endpoint_unusable,
                  "the socket's path must have 1 to " + std::to_string(kLongestSocketPath) + " bytes, \"" +
                      path().string() + "\" has " + std::to_string(path().native().size()) +
                      "; choose a shorter one with --socket");
  }
  if (name_.empty() || name_ == "." || name_ == "..") {
    return refuse(Errc::endpoint_unusable,
                  path().string() + " names a directory; --socket wants a file in it");
  }
  return {};
}

Result<> Endpoint::Claim::open_directory() {
  auto opened = make_socket_directory(directory_path_, &explanation_);
  if (!opened) return opened.error();
  directory_ = *std::move(opened);
  return {};
}

// Whoever else may write there could put a socket of their own in the place of ours.
Result<> Endpoint::Claim::check_directory() {
  struct stat status {};
  if (::fstat(directory_.get(), &status) != 0)
    return refuse_with_errno("cannot examine " + directory_path_.string());
  if (!is_closed_to_others(status)) {
    return refuse(Errc::endpoint_untrusted, "others can write to the directory " + directory_path_.string() +
                                                " (mode " + octal(status.st_mode) +
                                                "); close it with chmod go-w or choose another --socket");
  }
  return {};
}

Result<> Endpoint::Claim::take_lock() {
  auto lock = LockFile::acquire(directory_.get(), name_ + ".lock");
  if (lock) {
    lock_.emplace(*std::move(lock));
    return {};
  }
  if (lock.error() == Errc::endpoint_in_use) return refuse_in_use();
  if (lock.error() == Errc::endpoint_untrusted) {
    return refuse(lock.error(),
                  path().string() + ".lock is not a file of yours; remove it or choose another --socket");
  }
  return refuse(lock.error(), "cannot lock " + path().string() + ".lock: " + lock.error().message());
}

// With the lock held, what stands at the path is either a leftover or none of our business.
Result<> Endpoint::Claim::clear_path() {
  const auto status = status_of_entry(directory_.get(), name_);
  if (!status) return {};  // if it is there and cannot be examined, bind() will say so
  if (S_ISLNK(status->st_mode)) {
    return refuse(Errc::endpoint_untrusted,
                  path().string() + " is a symbolic link; remove it or choose another --socket");
  }
  if (!S_ISSOCK(status->st_mode)) {
    return refuse(Errc::endpoint_unusable,
                  path().string() + " exists and is not a socket; remove it or choose another --socket");
  }
  if (!is_trusted_owner(status->st_uid)) {
    return refuse(Errc::endpoint_untrusted, path().string() + " is a socket of uid " +
                                                std::to_string(status->st_uid) + "; choose another --socket");
  }
  return clear_stale_socket();
}

Result<> Endpoint::Claim::clear_stale_socket() {
  const auto answer = connect_unix_socket(path());
  if (answer || answer.error() == boost::system::errc::resource_unavailable_try_again) return refuse_in_use();
  if (answer.error() != boost::system::errc::connection_refused) {
    return refuse(Errc::endpoint_unusable, "cannot tell whether anyone listens at " + path().string() + " (" +
                                               answer.error().message() +
                                               "); remove it or choose another --socket");
  }
  if (::unlinkat(directory_.get(), name_.c_str(), 0) != 0 && errno != ENOENT) {
    return refuse_with_errno("cannot remove the stale socket " + path().string());
  }
  return {};
}

// The mode of an unbound socket is the mode its file is born with, less the umask: never more than was asked
// for.
Result<> Endpoint::Claim::bind() {
  auto socket = open_unix_socket();
  if (!socket) return refuse(socket.error(), "cannot make a socket: " + socket.error().message());
  listener_ = *std::move(socket);
  if (::fchmod(listener_.get(), options_.mode & kPermissions) != 0)
    return refuse_with_errno("cannot set a socket's mode");
  if (const auto bound = bind_unix_socket(listener_.get(), path()); !bound) {
    return refuse(bound.error(), "cannot listen at " + path().string() + ": " + bound.error().message());
  }
  const auto status = status_of_entry(directory_.get(), name_);
  if (!status) return refuse_with_errno("cannot find the socket just made at " + path().string());
  bound_ = file_id(*status);
  return {};
}

Result<> Endpoint::Claim::set_group() {
  if (options_.group.empty()) return {};
  const auto group = group_id(options_.group);
  if (!group) {
    return refuse(group.error(), "no group \"" + options_.group + "\" (" + group.error().message() +
                                     "); choose another --socket.group");
  }
  if (::fchownat(directory_.get(), name_.c_str(), static_cast<uid_t>(-1), *group, AT_SYMLINK_NOFOLLOW) != 0) {
    return refuse_with_errno("cannot give " + path().string() + " to the group " + options_.group);
  }
  return {};
}

// Adds what the umask took. Nobody could connect so far: that takes a listen().
Result<> Endpoint::Claim::set_mode() {
  const mode_t mode = options_.mode & kPermissions;
  const auto status = status_of_entry(directory_.get(), name_);
  if (status && (status->st_mode & kPermissions) == mode) return {};
  if (::fchmodat(directory_.get(), name_.c_str(), mode, AT_SYMLINK_NOFOLLOW) != 0) {
    return refuse_with_errno("cannot set the mode of " + path().string());
  }
  return {};
}

Result<> Endpoint::Claim::listen() {
  if (::listen(listener_.get(), kBacklog) != 0)
    return refuse_with_errno("cannot listen at " + path().string());
  return {};
}

// Who holds the lock usually listens, and the kernel then knows its pid.
Result<> Endpoint::Claim::refuse_in_use() {
  std::string who = "another metricsd";
  if (const auto connection = connect_unix_socket(path())) {
    if (const auto peer = peer_credentials(connection->get()))
      who += " (pid " + std::to_string(peer->pid) + ")";
  }
  return refuse(Errc::endpoint_in_use, who + " already listens at " + path().string() +
                                           "; stop it with metricsctl stop or choose another --socket");
}

void Endpoint::Claim::remove_socket() {
  if (!bound_) return;
  const auto status = status_of_entry(directory_.get(), name_);
  if (status && file_id(*status) == *bound_) ::unlinkat(directory_.get(), name_.c_str(), 0);
}

Result<> Endpoint::Claim::refuse(const error_code& error, std::string why) {
  explanation_ = std::move(why);
  return error;
}

Result<> Endpoint::Claim::refuse_with_errno(const std::string& what) {
  const error_code error = last_system_error();
  return refuse(error, what + ": " + error.message());
}

Result<Endpoint> Endpoint::claim(const EndpointOptions& options, std::string* explanation) {
  auto claim = std::make_unique<Claim>(options);
  if (const auto taken = claim->take(); !taken) {
    if (explanation != nullptr) *explanation = claim->explanation();
    return taken.error();
  }
  return Endpoint(std::move(claim));
}

Result<Endpoint> Endpoint::inherit(UniqueFd listener, std::string* explanation) {
  const fs::path path = path_of_listener(listener.get());
  if (path.empty()) {
    if (explanation != nullptr) *explanation = "what was handed over is no listening Unix socket with a path";
    return Errc::endpoint_unusable;
  }
  auto claim = std::make_unique<Claim>(EndpointOptions{.path = path, .group = {}});
  if (const auto inherited = claim->inherit(std::move(listener)); !inherited) {
    if (explanation != nullptr) *explanation = claim->explanation();
    return inherited.error();
  }
  return Endpoint(std::move(claim));
}

Endpoint::Endpoint(std::unique_ptr<Claim> claim) : claim_(std::move(claim)) {}
Endpoint::Endpoint(Endpoint&& other) noexcept = default;
Endpoint::~Endpoint() = default;

int Endpoint::listener() const {
  return claim_->listener();
}
const fs::path& Endpoint::path() const {
  return claim_->path();
}
Result<gid_t> Endpoint::group() const {
  struct stat status {};
  if (::lstat(path().c_str(), &status) != 0) return last_system_error();
  return status.st_gid;
}

}  // namespace metricsd::ipc
