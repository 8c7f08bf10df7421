// The daemon as a whole: claims the socket, binds HTTP, serves until a signal, leaves nothing behind.
#pragma once

#include "config.h"

namespace metricsd::server {

// Runs in the foreground until SIGTERM or SIGINT; a second signal ends the process at once. Returns the
// process's exit code: 0 after a signal; 1 where it could not start, which is said in one line on stderr, or
// could not make what it had counted durable at its end.
int run_daemon(const Config& config);

}  // namespace metricsd::server
