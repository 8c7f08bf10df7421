// Where the socket is: for a daemon the one path it listens at, for a client the paths it tries in order; and
// where clients leave what they owe (segment_layout.h). What the rules look at is passed in, so that a test
// needs no system.
#pragma once

#include <metricsd/models/errors.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::ipc {

struct Environment {
  // Unset and empty are the same: nothing.
  std::function<std::optional<std::string>(std::string_view)> variable;
  uid_t uid = 0;

  // The process's own.
  [[nodiscard]] static Environment of_process();
};

// `told` is what a flag said, "" for nothing. Then $METRICSD_SOCKET, $RUNTIME_DIRECTORY/metricsd.sock,
// /run/metricsd/metricsd.sock for root, $XDG_RUNTIME_DIR/metricsd/metricsd.sock,
// /tmp/metricsd-UID/metricsd.sock.
[[nodiscard]] std::filesystem::path listen_path(std::string_view told, const Environment& environment);

// `told`, or $METRICSD_SOCKET, alone; else the XDG, the /tmp and the /run path, of which the first that
// answers is the daemon.
[[nodiscard]] std::vector<std::filesystem::path> connect_paths(std::string_view told,
                                                               const Environment& environment);

// The directory of segments beside a socket.
[[nodiscard]] std::filesystem::path segment_directory(const std::filesystem::path& socket);

// Where the segments of clients of one socket lie, in the order to try, and where the daemon that listens
// there looks for those of dead clients: beside it. Where a daemon listens if nobody tells it otherwise, also
// in /dev/shm/metricsd-UID/segments, since of all these only that is a tmpfs everywhere.
[[nodiscard]] std::vector<std::filesystem::path> segment_directories_of(const std::filesystem::path& socket,
                                                                        const Environment& environment);

// Where a client puts its segment: in those of the socket that it is told of, else in those of all that a
// daemon of its own user could listen at, or in the one of the system's daemon.
[[nodiscard]] std::vector<std::filesystem::path> segment_directories(std::string_view told,
                                                                     const Environment& environment);

}  // namespace metricsd::ipc
