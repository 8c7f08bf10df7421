// The samples of a task as files of its run:
//
//   process_metrics.jsonl    one object a line, of the whole task (role "") and of each role, as it goes
//   process_metrics.csv      the same rows, when the task has ended
//   process_aggregated.json  what they came to
//   system_metrics.jsonl     one object a line, of the machine, where it is watched
//
// A second task of the same run (a nested metrics-run) puts its job's name in front:
// `<job_name>.process_...`.
#pragma once

#include "destination.h"

#include <metricsd/exporters/file_sink.h>
#include <metricsd/models/timestamp.h>
#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::tools {

// What process_aggregated.json says besides the figures.
struct TaskOutcome {
  std::vector<std::string> command{};  // empty of what was attached to
  Timestamp start_time;
  Timestamp end_time;
  std::optional<int> exit_code{};  // as a shell's
};

// Whole lines appended to a file; where the disk is full they are counted as lost.
class LineFile {
 public:
  // `path`, or `other` where there is one at `path` already.
  LineFile(const std::filesystem::path& path, const std::filesystem::path& other,
           std::vector<std::string>& problems);
  void append(std::string_view lines);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  std::filesystem::path path_;
  UniqueFd fd_;
  bool torn_ = false;  // the last line is not whole
  std::uint64_t lost_ = 0;
  std::string buffer_;
};

// What there are files of.
struct Watched {
  bool processes = true;
  bool system = false;
};

// One thread.
class ProcessFiles {
 public:
  // `directory` is a run's.
  ProcessFiles(const std::filesystem::path& directory, const Task& task, const Watched& watched);

  void write(const Observation& observation);
  // Writes the files that appear whole. `last` is the last observation's tree, null where there is none.
  void finish(const Task& task, const TreeSample* last, const Aggregates& aggregates,
              const TaskOutcome& outcome);
  // What could not be written, one line each.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  [[nodiscard]] std::optional<LineFile> open(const std::filesystem::path& directory, const Task& task,
                                             const char* name);
  // Beside the file of lines, with the same in front.
  [[nodiscard]] std::filesystem::path beside(std::string_view name) const;
  void write_row(const Task& task, std::string_view role, const ProcessSample& sample);
  void note_losses(const std::optional<LineFile>& lines);
  void note(const std::filesystem::path& path, const Result<>& written);

  std::vector<std::string> problems_;
  std::optional<LineFile> lines_;  // these two: of processes
  std::unique_ptr<exporters::FileSink> csv_;
  std::optional<LineFile> system_lines_;
  std::string json_;  // reused
  std::string row_;
};

}  // namespace metricsd::tools
