#include "process_files.h"

#include "command_json.h"
#include "sample_json.h"
#include "system_json.h"

#include <metricsd/exporters/csv_record.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/run.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

namespace fs = std::filesystem;

constexpr const char* kLinesFile = "process_metrics.jsonl";
constexpr const char* kCsvFile = "process_metrics.csv";
constexpr const char* kAggregateFile = "process_aggregated.json";
constexpr const char* kSystemFile = "system_metrics.jsonl";

// -1 with EEXIST where the file is there and has to be `fresh`.
int open_lines(const fs::path& path, bool fresh) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  return ::open(path.c_str(), fresh ? flags | O_EXCL : flags, 0644);
}

void write_figures(JsonWriter& json, const ProcessSample& sample, const Aggregate& aggregate) {
  json.field("cpu_user_seconds", sample.cpu_user_seconds);
  json.field("cpu_system_seconds", sample.cpu_system_seconds);
  json.key("aggregated");
  aggregate.write(json);
}

void write_faults(JsonWriter& json, const CollectionFaults& faults) {
  json.key("faults").begin_object();
  json.field("gone", faults.gone)
      .field("lost", faults.lost)
      .field("reused", faults.reused)
      .field("denied", faults.denied);
  json.field("zombies", faults.zombies).field("malformed", faults.malformed);
  json.field("unfollowed", faults.unfollowed).end_object();
}

void write_tree(JsonWriter& json, const TreeSample& tree, const Aggregates& aggregates) {
  write_figures(json, tree.total, aggregates.total);
  json.key("roles").begin_object();
  for (const RoleSample& role : tree.roles) {
    const auto found = aggregates.roles.find(role.role);
    if (found == aggregates.roles.end()) continue;
    json.key(role.role).begin_object();
    write_figures(json, role.sample, found->second);
    json.end_object();
  }
  json.end_object();
  write_faults(json, tree.faults);
}

std::string render_outcome(const Task& task, const TreeSample& tree, const Aggregates& aggregates,
                           const TaskOutcome& outcome) {
  std::string out;
  JsonWriter json(out, JsonWriter::Style::pretty);
  json.begin_object().field("schema_version", 1);
  json.field("job_name", task.job_name).field("task_id", task.task_id).field("node", task.node);
  write_command(json, outcome.command);
  json.field("start_time", format_timestamp(outcome.start_time));
  json.field("end_time", format_timestamp(outcome.end_time));
  json.key("exit_code");
  if (outcome.exit_code) {
    json.value(*outcome.exit_code);
  } else {
    json.null();
  }
  json.key("profile").raw(render_profile(task.profile));
  write_tree(json, tree, aggregates);
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace

LineFile::LineFile(const fs::path& path, const fs::path& other, std::vector<std::string>& problems)
    : path_(path), fd_(open_lines(path, true)) {
  if (!fd_.valid() && errno == EEXIST) {
    path_ = other;
    fd_ = UniqueFd(open_lines(other, false));
  }
  if (!fd_.valid()) problems.push_back(path_.string() + ": " + last_system_error().message());
}

void LineFile::append(std::string_view lines) {
  buffer_.assign(torn_ ? "\n" : "").append(lines);
  ssize_t written = -1;
  do {
    written = ::write(fd_.get(), buffer_.data(), buffer_.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(buffer_.size())) {
    torn_ = false;
    return;
  }
  const std::size_t kept = written < 0 ? 0 : static_cast<std::size_t>(written);
  if (kept != 0) torn_ = buffer_[kept - 1] != '\n';
  lost_ += static_cast<std::uint64_t>(
      std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(kept), buffer_.end(), '\n'));
}

ProcessFiles::ProcessFiles(const fs::path& directory, const Task& task, const Watched& watched) {
  if (watched.processes) {
    lines_ = open(directory, task, kLinesFile);
    csv_ = std::make_unique<exporters::FileSink>(beside(kCsvFile));
    append_sample_csv_header(row_);
    csv_->write(row_ + ",job_name,role,processes\r\n");
  }
  if (watched.system) system_lines_ = open(directory, task, kSystemFile);
}

std::optional<LineFile> ProcessFiles::open(const fs::path& directory, const Task& task, const char* name) {
  return LineFile(directory / name, directory / (path_component(task.job_name) + "." + name), problems_);
}

fs::path ProcessFiles::beside(std::string_view name) const {
  std::string file = lines_->path().filename().string();
  file.replace(file.size() - std::string_view(kLinesFile).size(), std::string::npos, name);
  return lines_->path().parent_path() / file;
}

void ProcessFiles::write(const Observation& observation) {
  const Task& task = observation.task;
  if (lines_ && observation.tree != nullptr) {
    json_.clear();
    row_.clear();
    write_row(task, "", observation.tree->total);
    for (const RoleSample& role : observation.tree->roles) write_row(task, role.role, role.sample);
    lines_->append(json_);
    csv_->write(row_);
  }
  if (!system_lines_ || observation.system == nullptr) return;
  json_.clear();
  JsonWriter json(json_);
  append_system_json(json, *observation.system);
  json_ += '\n';
  system_lines_->append(json_);
}

void ProcessFiles::write_row(const Task& task, std::string_view role, const ProcessSample& sample) {
  using exporters::CsvRecordWriter;
  const Collect& collect = task.profile.collect;
  JsonWriter json(json_);
  json.begin_object();
  append_sample_fields(json, sample, collect);
  json.field("job_name", task.job_name).field("role", role).field("processes", sample.processes).end_object();
  json_ += '\n';

  append_sample_csv(row_, sample, collect);
  row_ += ',';
  const std::string processes = std::to_string(sample.processes);
  const std::size_t size = row_.size();
  row_.resize(size + CsvRecordWriter::room_for(task.job_name) + CsvRecordWriter::room_for(role) +
              CsvRecordWriter::room_for(processes));
  CsvRecordWriter record(row_.data() + size, false);
  row_.resize(
      static_cast<std::size_t>(record.text(task.job_name).text(role).plain(processes).end() - row_.data()));
}

void ProcessFiles::finish(const Task& task, const TreeSample* last, const Aggregates& aggregates,
                          const TaskOutcome& outcome) {
  note_losses(lines_);
  note_losses(system_lines_);
  if (!lines_ || last == nullptr) return;
  note(beside(kCsvFile), csv_->commit());
  const fs::path path = beside(kAggregateFile);
  note(path, exporters::write_file(path, render_outcome(task, *last, aggregates, outcome)));
}

void ProcessFiles::note_losses(const std::optional<LineFile>& lines) {
  if (!lines || lines->lost() == 0) return;
  problems_.push_back(lines->path().string() + ": " + std::to_string(lines->lost()) +
                      " lines could not be written");
}

void ProcessFiles::note(const fs::path& path, const Result<>& written) {
  if (!written) problems_.push_back(path.string() + ": " + written.error().message());
}

}  // namespace metricsd::tools
