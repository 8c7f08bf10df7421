// What parent and workers share: figures for the progress line, and the word to stop.
#pragma once

#include <atomic>
#include <cstdint>

namespace metricsd::tools {

// Lives in memory that is mapped shared before the workers are forked.
struct SharedProgress {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> bytes{0};  // of operations that succeeded
};

// Between processes only what needs no lock works; signal handlers need the same.
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

// The mapping, for the life of the program. Null where there is no memory.
[[nodiscard]] SharedProgress* map_shared_progress();

// From now on SIGINT and SIGTERM set `progress.stop`; a second one ends the process as usual.
void stop_on_signals(SharedProgress& progress);

}  // namespace metricsd::tools
