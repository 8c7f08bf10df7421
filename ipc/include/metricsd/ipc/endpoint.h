// Owning the socket's path, and connecting to whoever owns it.
//
// A daemon takes a lock file beside the socket first and keeps it for life, so that of many started at once
// one wins. Only then is a stale socket removed, and only if it is a socket that nobody answers. The socket
// is born with its mode. The directory must be ours (or root's) and closed to others' writing, or sticky and
// root's, as /tmp is; one that is missing is made (socket_directory.h).
//
// A socket that a service manager listens on for the daemon is the manager's: path, mode and group are as it
// made them, it stays when the daemon goes, and no lock is taken, since the manager starts one daemon.
#pragma once

#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/ipc/message.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace metricsd::ipc {

struct EndpointOptions {
  std::filesystem::path path;
  mode_t mode = 0660;  // exactly, whatever the umask
  std::string group;   // name or number; "" leaves the process's own
};

// A listening socket at a path. The destructor removes the socket, if it is still the one bound, then gives
// the lock up. One thread; a child after fork() must leave it by exec or _exit.
class Endpoint {
 public:
  // Errors: endpoint_in_use (a live daemon), endpoint_untrusted (directory, symlink), endpoint_unusable (path
  // too long, not a socket), or the system's. `explanation`, if given, receives one line for a person. Never
  // waits.
  [[nodiscard]] static Result<Endpoint> claim(const EndpointOptions& options,
                                              std::string* explanation = nullptr);

  // Goes on with a socket that listens already. The kernel then names this process to clients as the one who
  // listens. Errors: endpoint_unusable for anything but a listening stream socket with a path, or the
  // system's.
  [[nodiscard]] static Result<Endpoint> inherit(UniqueFd listener, std::string* explanation = nullptr);

  Endpoint(Endpoint&& other) noexcept;
  Endpoint& operator=(Endpoint&&) = delete;
  ~Endpoint();

  // Listening, non-blocking, close-on-exec. The endpoint keeps it.
  [[nodiscard]] int listener() const;
  [[nodiscard]] const std::filesystem::path& path() const;
  // The group that the socket's file belongs to.
  [[nodiscard]] Result<gid_t> group() const;

 private:
  class Claim;
  explicit Endpoint(std::unique_ptr<Claim> claim);

  std::unique_ptr<Claim> claim_;
};

// Who is at the other end, by the kernel's word: of a listener's client, who connected; of a client's, who
// listens.
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
[[nodiscard]] Result<PeerCredentials> peer_credentials(int fd);
// The supplementary groups that whoever connected had then. PeerCredentials::gid need not be among them.
[[nodiscard]] Result<std::vector<gid_t>> peer_groups(int fd);

// A non-blocking, close-on-exec connection to the first path where a trusted daemon answers: its uid is the
// caller's own, root, or the owner of /run/metricsd. Never waits. Errc::no_daemon, or endpoint_untrusted
// where only others answered.
[[nodiscard]] Result<UniqueFd> connect_to_daemon(std::span<const std::filesystem::path> paths, uid_t own_uid);

// Sends one status request and reads its one line, for at most `timeout_ms`. For tools; blocks. Errors: those
// of connect_to_daemon(); timed_out; half_line (the daemon hung up); line_too_long (limits::kStatusReply);
// the system's.
[[nodiscard]] Result<std::string> request_status(std::span<const std::filesystem::path> paths, uid_t own_uid,
                                                 int timeout_ms);

// Hands in the segment of a process that is gone, and waits until what it holds is durable, for at most
// `timeout_ms`. The answer may say that it was not taken. For tools; blocks. Errors: as above; malformed_json
// where the answer is none.
[[nodiscard]] Result<AdoptedMessage> hand_in_segment(std::span<const std::filesystem::path> paths,
                                                     uid_t own_uid, int segment, int timeout_ms);

}  // namespace metricsd::ipc
