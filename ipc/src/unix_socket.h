// Stream sockets of the file system, non-blocking and close-on-exec.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <filesystem>

#include <sys/un.h>

namespace metricsd::ipc {

// The longest path the kernel takes: its NUL must fit as well.
inline constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;

// Whether `path` can be put into an address at all.
[[nodiscard]] bool is_socket_path(const std::filesystem::path& path);

[[nodiscard]] Result<UniqueFd> open_unix_socket();

// Errors: endpoint_unusable for what is_socket_path() refuses, else the system's.
[[nodiscard]] Result<> bind_unix_socket(int fd, const std::filesystem::path& path);

// Never waits. Errors as above; the system's are ENOENT and ECONNREFUSED where nobody listens, and EAGAIN
// where too many wait already.
[[nodiscard]] Result<UniqueFd> connect_unix_socket(const std::filesystem::path& path);

}  // namespace metricsd::ipc
