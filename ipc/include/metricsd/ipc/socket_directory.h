// The directory that a socket stands in, and what is put beside it.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <filesystem>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

namespace metricsd::ipc {

// What a directory is made with: /run/metricsd 0755, for clients of every user; any other 0700.
[[nodiscard]] mode_t socket_directory_mode(const std::filesystem::path& directory);

// Whether that user was given the system's directory, /run/metricsd: a daemon of the system runs as a user of
// its own, and only root can have made the directory over to it.
[[nodiscard]] bool owns_system_directory(uid_t uid);

// Whether it is the directory of a daemon of the system that runs as another user, neither the caller's nor
// root, and nobody else can write there.
[[nodiscard]] bool is_of_system_daemon(const std::filesystem::path& directory);

// Opens the directory, and makes it where it is missing: its last level only, with exactly that mode.
// Errors: endpoint_untrusted for one that is neither the caller's nor root's, or no directory (a symbolic
// link is none); the system's. `explanation`, if given, receives one line for a person.
[[nodiscard]] Result<UniqueFd> make_socket_directory(const std::filesystem::path& directory,
                                                     std::string* explanation = nullptr);

// Whether only its owner and root can replace what stands in a directory: others cannot write to it, or it is
// sticky and root's, as /tmp is.
[[nodiscard]] bool is_closed_to_others(const struct stat& directory);

}  // namespace metricsd::ipc
