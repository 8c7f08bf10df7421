#include <metricsd/exporters/file_sink.h>
#include <metricsd/exporters/file_source.h>
#include <metricsd/exporters/jsonl_reader.h>
#include <metricsd/exporters/run_export.h>
#include <metricsd/exporters/run_summary.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/run_json.h>
#include <metricsd/models/statistics/summary_builder.h>

#include <cstddef>
#include <memory>

namespace metricsd::exporters {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kProgressStep = std::uint64_t{16} << 20;  // bytes of JSONL between two calls
constexpr std::size_t kWriteSize = std::size_t{256}
                                   << 10;              // bytes of a file that gather before they are written
constexpr std::uint64_t kSpreadsheetRows = 1'048'576;  // of Excel and LibreOffice Calc, header included

// One format's file while it is being written.
class OperationFile {
 public:
  OperationFile(const FormatEntry& format, const fs::path& directory, const FormatOptions& options)
      : name_(format.file_name), format_(format.make(options)), sink_(directory / format.file_name) {
    text_.reserve(kWriteSize + kWriteSize / 4);
    format_->begin(text_);
  }

  [[nodiscard]] const std::string& name() const { return name_; }

  // `line`, where there is one, is the operation's.
  void row(const OperationView& operation, const OperationLine* line) {
    if (line != nullptr) {
      format_->copy_row(text_, operation, *line);
    } else {
      format_->row(text_, operation);
    }
    if (text_.size() >= kWriteSize) hand_over();
  }

  [[nodiscard]] Result<> commit() {
    format_->end(text_);
    hand_over();
    return sink_.commit();
  }

 private:
  void hand_over() {
    sink_.write(text_);
    text_.clear();
  }

  std::string name_;
  std::unique_ptr<OperationFormat> format_;
  FileSink sink_;
  std::string text_;  // rows that are not yet written
};

// The passage from a JSONL to the other files of its directory.
class RunExport {
 public:
  RunExport(const fs::path& directory, Run run, const ExportOptions& options)
      : directory_(directory),
        run_(std::move(run)),
        options_(options),
        summary_({.spill_directory = directory}) {
    const FormatOptions format_options{
        .test_run_id = run_.test_run_id, .csv_raw = options.csv_raw, .csv_bom = options.csv_bom};
    for (const std::string& name : options.formats) {
      const FormatEntry* const format = find_operation_format(name);
      if (format == nullptr) {
        report_.warnings.push_back("no export format is called \"" + name + '"');
        continue;
      }
      if (format->file_name == kOperationsFile) continue;  // what is being read
      files_.push_back(std::make_unique<OperationFile>(*format, directory, format_options));
    }
  }

  Result<ExportReport> perform() {
    if (const Result<> read = read_operations(); !read) return read.error();
    for (const auto& file : files_) note(file->name(), file->commit());
    finish_summary();
    note(kRunFile, write_file(directory_ / kRunFile, render_run(run_)));
    warn();
    return std::move(report_);
  }

 private:
  Result<> read_operations() {
    auto reader = JsonlReader::open(directory_ / kOperationsFile);
    if (!reader) return reader.error();
    OperationView operation;
    while (true) {
      const Result<bool> more = reader->next(operation);
      if (!more) return more.error();
      if (!*more) break;
      take(operation, reader->line());
      tell_progress(reader->bytes_read(), reader->bytes_in_all());
    }
    report_.bad_lines = reader->bad_lines();
    return {};
  }

  void take(const OperationView& operation, std::string_view line) {
    ++report_.operations;
    OperationLine parts;
    const bool taken_apart = !files_.empty() && take_apart(line, operation, parts);
    for (const auto& file : files_) file->row(operation, taken_apart ? &parts : nullptr);
    if (summarised_) summarised_ = summary_.add(operation);
  }

  void tell_progress(std::uint64_t done, std::uint64_t in_all) {
    if (!options_.progress || done < next_progress_) return;
    next_progress_ = done + kProgressStep;
    options_.progress(done, in_all);
  }

  // The summary also knows when a run ended that did not live to say so.
  void finish_summary() {
    if (summarised_) {
      Result<RunSummary> summary = summary_.finish(run_, options_.dropped);
      summarised_ = summary ? write_summary(*summary) : Result<>(summary.error());
      if (summary) report_.summary = std::move(*summary);
    }
    note(kSummaryFile, summarised_);
  }

  Result<> write_summary(const RunSummary& summary) {
    if (!run_.start_time) run_.start_time = summary.start_time;
    if (!run_.end_time) run_.end_time = summary.end_time;
    render_summary_json(report_.summary_json, summary, JsonWriter::Style::pretty);
    report_.summary_json += '\n';
    return write_file(directory_ / kSummaryFile, report_.summary_json);
  }

  void note(std::string_view file, const Result<>& written) {
    if (!written) report_.failed_files.emplace_back(file, written.error());
  }

  void warn() {
    if (report_.bad_lines > 0) {
      report_.warnings.push_back(std::string(kOperationsFile) + ": " + std::to_string(report_.bad_lines) +
                                 " line(s) that are no operation were passed over");
    }
    const FormatEntry* const csv = find_operation_format("csv");
    for (const auto& file : files_) {
      if (file->name() != csv->file_name || report_.operations < kSpreadsheetRows) continue;
      report_.warnings.push_back(file->name() + ": " + std::to_string(report_.operations) +
                                 " operations; a spreadsheet shows the first " +
                                 std::to_string(kSpreadsheetRows - 1));
    }
  }

  const fs::path& directory_;
  Run run_;
  const ExportOptions& options_;
  SummaryBuilder summary_;
  Result<> summarised_;  // what first kept the summary from being made
  std::vector<std::unique_ptr<OperationFile>> files_;
  std::uint64_t next_progress_ = 0;
  ExportReport report_;
};

}  // namespace

std::string render_run(const Run& run) {
  std::string text;
  JsonWriter writer(text, JsonWriter::Style::pretty);
  writer.begin_object().field("schema_version", 1);
  write_run_fields(writer, run);
  writer.end_object();
  text += '\n';
  return text;
}

Result<Run> read_run(const fs::path& directory) {
  const Result<std::string> text = read_file(directory / kRunFile, limits::kRunFile);
  if (!text && text.error() == boost::system::errc::no_such_file_or_directory) return Errc::run_not_found;
  if (!text) return text.error();
  return parse_run(*text);
}

Result<ExportReport> export_run(const fs::path& directory, Run run, const ExportOptions& options) {
  return RunExport(directory, std::move(run), options).perform();
}

}  // namespace metricsd::exporters
