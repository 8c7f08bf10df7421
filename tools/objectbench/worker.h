// The processes that make the load. They are forked first, while the program has one thread, and wait; once
// the run is open they are told its directory, join it and begin.
#pragma once

#include "options.h"
#include "shared_progress.h"

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

class Workers {
 public:
  // `options.url` is set. Fewer than asked for where fork() fails; problems() says so.
  Workers(const BenchOptions& options, SharedProgress& progress);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  // Those that were not told to begin end; waits for all.
  ~Workers();

  void begin(const std::filesystem::path& run_directory);

  // Takes leave of those that ended, without waiting; false once none is left.
  [[nodiscard]] bool any_left();

  // One line for each worker that could not start, was killed or failed.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Worker {
    pid_t pid;
    unsigned number;
    int go;  // the run's directory is written here
  };
  void note_end(const Worker& worker, int status);

  std::vector<Worker> workers_;
  std::vector<std::string> problems_;
};

}  // namespace metricsd::tools
