// A program in a session of its own, that lives on when we end.
#pragma once

#include <metricsd/models/errors.h>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

class DetachedProcess {
 public:
  // Runs `command` (its first word is looked for in $PATH where it has no slash) with no input, no terminal
  // and no descriptor of ours; what it prints is appended to `log`. Errors: of the log, of fork, of exec.
  [[nodiscard]] static Result<DetachedProcess> start(const std::vector<std::string>& command,
                                                     const std::filesystem::path& log);

  [[nodiscard]] pid_t pid() const { return pid_; }
  // False from the moment it ended, however.
  [[nodiscard]] bool runs();
  // SIGTERM, and SIGKILL to what is still there two seconds later.
  void end();

 private:
  explicit DetachedProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  bool ended_ = false;
};

}  // namespace metricsd::tools
