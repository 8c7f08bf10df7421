#include "process_files.h"

#include "system_sample.h"

#include <metricsd/exporters/file_source.h>
#include <metricsd/models/json/document.h>
#include <metricsd/support/temporary_directory.h>

#include <filesystem>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

constexpr Timestamp kStart{1'767'225'600 * kNsPerSecond};

Task make_task() {
  Task task;
  task.task_id = "t";
  task.job_name = "build_1767225600";
  task.node = "host";
  task.profile = *find_profile("standard");
  return task;
}

struct Fixture {
  Fixture() {
    tree.total.timestamp = kStart;
    tree.total.cpu_user_seconds = 1.5;
    tree.total.memory_usage_bytes = 1000;
    tree.total.processes = 2;
    tree.roles.push_back({.role = "=cc,1", .sample = tree.total, .start_time_seconds = 0});
    aggregates.total.add(tree.total, 0, 0);
    aggregates.roles.emplace("=cc,1", aggregates.total);
  }
  [[nodiscard]] Observation observation() const { return {task, &tree, nullptr, aggregates, false}; }
  [[nodiscard]] std::string read(const char* name) const {
    return exporters::read_file(directory.path() / name, 1 << 20).value();
  }
  [[nodiscard]] bool exists(const char* name) const {
    return std::filesystem::exists(directory.path() / name);
  }

  support::TemporaryDirectory directory;
  Task task = make_task();
  TreeSample tree;
  Aggregates aggregates;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

TEST(ProcessFiles, RowsAreOfTheWholeAndOfEachRole) {
  Fixture f;
  ProcessFiles files(f.directory.path(), f.task, {});
  files.write(f.observation());
  files.write(f.observation());
  const auto lines = lines_of(f.read("process_metrics.jsonl"));
  ASSERT_EQ(lines.size(), 4U);
  const auto whole = parse_json(lines[0]).value();
  EXPECT_EQ(whole.at("role").as_string(), "");
  EXPECT_EQ(whole.at("job_name").as_string(), "build_1767225600");
  EXPECT_EQ(whole.at("timestamp").as_string(), "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(whole.at("cpu_user_seconds").as_double(), 1.5);
  EXPECT_TRUE(whole.at("cpu_usage_percent").is_null());
  EXPECT_EQ(whole.at("processes").as_int64(), 2);
  EXPECT_EQ(parse_json(lines[1]).value().at("role").as_string(), "=cc,1");
  EXPECT_FALSE(f.exists("process_metrics.csv"));  // whole or not at all
  files.finish(f.task, &f.tree, f.aggregates, {});
  EXPECT_TRUE(files.problems().empty());
}

TEST(ProcessFiles, CsvHasTheSameRows) {
  Fixture f;
  ProcessFiles files(f.directory.path(), f.task, {});
  files.write(f.observation());
  files.finish(f.task, &f.tree, f.aggregates, {});
  const auto lines = lines_of(f.read("process_metrics.csv"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("timestamp,cpu_usage_percent,"));
  EXPECT_TRUE(lines[0].ends_with(",job_name,role,processes\r"));
  EXPECT_TRUE(lines[1].starts_with("2026-01-01T00:00:00.000000Z,,1.5,0,1000,"));
  EXPECT_TRUE(lines[1].ends_with(",build_1767225600,,2\r"));
  EXPECT_TRUE(lines[2].ends_with(",build_1767225600,\"'=cc,1\",2\r"));  // no formula for a spreadsheet
}

TEST(ProcessFiles, OutcomeSaysWhatItCameTo) {
  Fixture f;
  ProcessFiles files(f.directory.path(), f.task, {});
  files.write(f.observation());
  files.finish(f.task, &f.tree, f.aggregates,
               {{"make", "-j2", "\xFF"}, kStart, {kStart.ns + kNsPerSecond}, 130});
  const auto document = parse_json(f.read("process_aggregated.json")).value();
  EXPECT_EQ(document.at("schema_version").as_int64(), 1);
  EXPECT_EQ(document.at("command").at(1).as_string(), "-j2");
  EXPECT_EQ(document.at("command").at(2).as_string(), "\xEF\xBF\xBD");
  EXPECT_EQ(document.at("exit_code").as_int64(), 130);
  EXPECT_EQ(document.at("end_time").as_string(), "2026-01-01T00:00:01.000000Z");
  EXPECT_EQ(document.at("profile").at("interval").as_int64(), 10);
  EXPECT_EQ(document.at("aggregated").as_object().size(), 9U);
  EXPECT_EQ(document.at("aggregated").at("sample_count").as_int64(), 1);
  EXPECT_EQ(document.at("roles").at("=cc,1").at("aggregated").as_object().size(), 9U);
}

TEST(ProcessFiles, OfAnotherTaskInTheSameRunHaveItsName) {
  Fixture f;
  ProcessFiles first(f.directory.path(), f.task, {});
  first.write(f.observation());
  f.task.job_name = "in/ner_1767225601";
  ProcessFiles second(f.directory.path(), f.task, {});
  second.write(f.observation());
  second.finish(f.task, &f.tree, f.aggregates, {});
  EXPECT_EQ(lines_of(f.read("process_metrics.jsonl")).size(), 2U);
  EXPECT_EQ(lines_of(f.read("in_ner_1767225601.process_metrics.jsonl")).size(), 2U);
  EXPECT_TRUE(f.exists("in_ner_1767225601.process_metrics.csv"));
  EXPECT_TRUE(f.exists("in_ner_1767225601.process_aggregated.json"));
}

TEST(ProcessFiles, TheMachineHasAFileOfItsOwn) {
  Fixture f;
  SystemSample system;
  system.timestamp = kStart;
  ProcessFiles files(f.directory.path(), f.task, {.processes = false, .system = true});
  files.write({f.task, nullptr, &system, f.aggregates, true});
  files.finish(f.task, nullptr, f.aggregates, {});
  const auto lines = lines_of(f.read("system_metrics.jsonl"));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(parse_json(lines[0]).value().at("timestamp").as_string(), "2026-01-01T00:00:00.000000Z");
  EXPECT_FALSE(f.exists("process_metrics.jsonl"));
  EXPECT_FALSE(f.exists("process_aggregated.json"));
}

TEST(ProcessFiles, WhatCanNotBeWrittenIsSaid) {
  Fixture f;
  ProcessFiles files(f.directory.path() / "missing", f.task, {});
  files.write(f.observation());
  files.finish(f.task, &f.tree, f.aggregates, {});
  EXPECT_EQ(files.problems().size(), 4U);  // not opened, lines lost, no CSV, no outcome
}

}  // namespace
}  // namespace metricsd::tools
