// Reading and writing a Unix socket where a file descriptor may come along (SCM_RIGHTS).
#pragma once

#include <metricsd/models/unique_fd.h>

#include <span>

#include <sys/types.h>
#include <sys/uio.h>

namespace metricsd::ipc {

// As writev(), without waiting and without a signal. With the first byte goes a copy of `descriptor`, if that
// is not -1.
[[nodiscard]] ssize_t send_parts(int socket, std::span<const iovec> parts, int descriptor = -1);

// As recv(), without waiting. A descriptor that came along takes the place of `passed`, and is
// close-on-exec. Of several the kernel keeps the first and closes the others; a plain recv() has it close
// all.
[[nodiscard]] ssize_t receive(int socket, std::span<char> buffer, UniqueFd& passed);

}  // namespace metricsd::ipc
