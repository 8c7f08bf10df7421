// The growing operations.jsonl: whole lines, appended by every process of the run.
//
// A write that is cut short (a disk that fills up) leaves half a line; the next append begins with a newline
// and the line again, so that at most the torn half is no operation. After an error it goes on trying: a disk
// may be made free again. What could not be written is counted by cause.
#pragma once

#include "losses.h"

#include <metricsd/ipc/unique_fd.h>
#include <metricsd/models/errors.h>

#include <filesystem>
#include <string_view>

namespace metricsd::client {

// One thread, in which SIGXFSZ must be blocked or ignored.
class RunRecorder {
 public:
  RunRecorder(ipc::UniqueFd file, LossLedger& losses) : file_(std::move(file)), losses_(losses) {}

  // operations.jsonl of `directory`, made where it is not there.
  [[nodiscard]] static Result<ipc::UniqueFd> open(const std::filesystem::path& directory);

  // Lines, each with its newline, in one write where the system takes them so.
  void append(std::string_view lines);

 private:
  // Writes what the system takes of `lines`, after the newline that a torn line is owed. Returns what is
  // left.
  [[nodiscard]] Result<std::string_view> write_some(std::string_view lines);

  ipc::UniqueFd file_;
  LossLedger& losses_;
  bool torn_ = false;  // the file's last byte written here is no newline
};

}  // namespace metricsd::client
