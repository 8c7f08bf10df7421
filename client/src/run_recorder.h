// The growing operations.jsonl: whole lines, appended by every process of the run.
//
// Lines are gathered in a block of the segment and appended together, so that a kill while they are on their
// way leaves what is needed to find which of them the file lacks (ipc/segment_layout.h).
//
// A write that is cut short (a disk that fills up) leaves half a line; this process's next append begins with
// a newline and the line again, so that of a process alone at most the torn half is no operation. After an
// error it goes on trying: a disk may be made free again; then too it begins with a newline, since another
// process may have met the full disk within a line. A process whose appends all succeed cannot know of
// another's torn half: the first line that it appends behind one is lost with it, seen by readers as a bad
// line and counted by nobody. What this process could not write is counted by cause.
#pragma once

#include "losses.h"
#include "segment.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

namespace metricsd::client {

// One thread, in which SIGXFSZ must be blocked or ignored.
class RunRecorder {
 public:
  // Throws std::bad_alloc.
  RunRecorder(UniqueFd file, LossLedger& losses, Segment& segment);

  // operations.jsonl of `directory`, made where it is not there.
  [[nodiscard]] static Result<UniqueFd> open(const std::filesystem::path& directory);

  // Gathers a line, with its newline: of the record that has this ordinal in its ring. Not while is_full().
  void add(std::uint32_t stream, std::uint64_t ordinal, std::string_view line) noexcept;
  [[nodiscard]] bool is_full() const noexcept;
  // Appends what was gathered, in one write where the system takes it so. Then the rings it came from are to
  // be released, and done() called.
  void append() noexcept;
  void done() noexcept;

 private:
  [[nodiscard]] std::string_view text() const noexcept;
  void write(std::string_view lines) noexcept;
  // Writes what the system takes of `lines`, after the newline that a torn line is owed. Returns what is
  // left.
  [[nodiscard]] Result<std::string_view> write_some(std::string_view lines);

  UniqueFd file_;
  LossLedger& losses_;
  SegmentMapping mapping_;
  ipc::AppendBlock* block_;
  char* text_;
  bool torn_ = false;  // the file may end within a line
};

}  // namespace metricsd::client
