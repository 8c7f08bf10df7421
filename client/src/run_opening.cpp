#include "run_opening.h"

#include "environment.h"
#include "run_recorder.h"

#include <metricsd/exporters/file_sink.h>
#include <metricsd/exporters/operation_format.h>
#include <metricsd/exporters/run_export.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/text.h>

#include <cerrno>
#include <cmath>
#include <string_view>

#include <sys/stat.h>

namespace metricsd::client {
namespace {

namespace fs = std::filesystem;

// The first thing wrong with the options, one line; "" where nothing is.
std::string fault_of(const RunOptions& options) {
  if (options.test_name.empty() || !is_clean(options.test_name, limits::kTestName)) {
    return "test_name must be 1 to 256 bytes of UTF-8";
  }
  if (!options.test_run_id.empty() && !is_run_id(options.test_run_id)) {
    return "test_run_id must be 1 to 64 of A-Z a-z 0-9 . _ - and not begin with a dot";
  }
  if (!options.workload_type.empty() && !is_type_name(options.workload_type)) {
    return "workload_type must be 1 to 64 of A-Z a-z 0-9 _ . : -";
  }
  if (!is_clean(options.scenario, limits::kDriver)) return "scenario must be at most 128 bytes of UTF-8";
  if (!is_clean(options.driver, limits::kDriver)) return "driver must be at most 128 bytes of UTF-8";
  if (options.num_users > limits::kWhole) return "num_users must be at most 2^53";
  if (!std::isfinite(options.spawn_rate) || options.spawn_rate < 0) return "spawn_rate must be 0 or more";
  for (const std::string& format : options.exports) {
    if (exporters::find_operation_format(format) == nullptr)
      return "there is no export format \"" + format + "\"";
  }
  return {};
}

// Sets `into` to the compact form of an object that may be absent.
bool set_object(std::string& into, const std::string& json) {
  if (json.empty()) return true;
  auto object = compact_object(json);
  if (object) into = std::move(*object);
  return object.has_value();
}

error_code make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory.parent_path(), error);
  if (error) return error;
  if (::mkdir(directory.c_str(), 0755) == 0) return {};
  return errno == EEXIST ? make_error_code(Errc::run_exists) : last_system_error();
}

Result<RunFiles> open_files(const fs::path& directory) {
  auto membership = RunMembership::enter(directory);
  if (!membership) return membership.error();
  auto operations = RunRecorder::open(directory);
  if (!operations) return operations.error();
  return RunFiles{directory, std::move(*operations), std::move(*membership)};
}

Result<RunFiles> fill_directory(const fs::path& directory, const Run& run) {
  auto files = open_files(directory);
  if (!files) return files;
  // Last: who finds it may join.
  const auto written = exporters::write_file(directory / exporters::kRunFile, exporters::render_run(run));
  if (!written) return written.error();
  return files;
}

// So that a workload that changes its working directory still finds the run.
Result<fs::path> make_absolute(const fs::path& path) {
  std::error_code error;
  fs::path result = fs::absolute(path, error).lexically_normal();
  if (error) return error_code(error);
  return result;
}

}  // namespace

std::optional<Run> run_of(const RunOptions& options, const Clock& clock, std::string& why) {
  why = fault_of(options);
  if (!why.empty()) return std::nullopt;
  Run run;
  run.test_run_id = options.test_run_id.empty() ? random_id() : options.test_run_id;
  run.test_name = options.test_name;
  run.start_time = clock.now();
  run.scenario = options.scenario;
  run.workload_type = options.workload_type;
  run.driver = options.driver;
  run.num_users = options.num_users;
  run.spawn_rate = options.spawn_rate;
  run.environment = describe_environment();
  if (!set_object(run.test_config, options.test_config)) why = "test_config must be a JSON object";
  if (!set_object(run.client_info, options.client_info)) why = "client_info must be a JSON object";
  if (!set_object(run.tags, options.tags)) why = "tags must be a JSON object";
  if (why.empty() && exporters::render_run(run).size() > limits::kRunFile) {
    why = "test_config, client_info and tags are too large";
  }
  if (!why.empty()) return std::nullopt;
  return run;
}

Result<RunFiles> create_run(const Run& run, const fs::path& export_dir) {
  const Result<fs::path> parent = make_absolute(export_dir);
  if (!parent) return parent.error();
  const fs::path directory = *parent / run_directory_name(run);
  if (const error_code error = make_directory(directory)) return error;
  auto files = fill_directory(directory, run);
  if (!files) {
    std::error_code ignored;
    fs::remove_all(directory, ignored);  // of a run that never was
  }
  return files;
}

Result<RunFiles> join_run(const fs::path& directory, Run& run) {
  const Result<fs::path> path = make_absolute(directory);
  if (!path) return path.error();
  Result<Run> found = exporters::read_run(*path);
  if (!found) return found.error();
  run = std::move(*found);
  return open_files(*path);
}

}  // namespace metricsd::client
