// The growing operations.jsonl: whole lines, appended by every process of the run.
//
// A write that is cut short (a disk that fills up) leaves half a line; this process's next append begins with
// a newline and the line again, so that of a process alone at most the torn half is no operation. After an
// error it goes on trying: a disk may be made free again; then too it begins with a newline, since another
// process may have met the full disk within a line. A process whose appends all succeed cannot know of
// another's torn half: the first line that it appends behind one is lost with it, seen by readers as a bad
// line and counted by nobody. What this process could not write is counted by cause.
#pragma once

#include "losses.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <filesystem>
#include <string_view>
#include <utility>

namespace metricsd::client {

// One thread, in which SIGXFSZ must be blocked or ignored.
class RunRecorder {
 public:
  RunRecorder(UniqueFd file, LossLedger& losses) : file_(std::move(file)), losses_(losses) {}

  // operations.jsonl of `directory`, made where it is not there.
  [[nodiscard]] static Result<UniqueFd> open(const std::filesystem::path& directory);

  // Lines, each with its newline, in one write where the system takes them so.
  void append(std::string_view lines);

 private:
  // Writes what the system takes of `lines`, after the newline that a torn line is owed. Returns what is
  // left.
  [[nodiscard]] Result<std::string_view> write_some(std::string_view lines);

  UniqueFd file_;
  LossLedger& losses_;
  bool torn_ = false;  // the file may end within a line
};

}  // namespace metricsd::client
