#include "run_directory.h"

#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

std::filesystem::path make(const support::TemporaryDirectory& parent, const char* name) {
  auto path = parent.path() / name;
  std::filesystem::create_directory(path);
  return path;
}

TEST(RunDirectory, NameTellsTheRun) {
  const support::TemporaryDirectory parent;
  const metricsd::Run run = run_of_directory(make(parent, "my_night_run_20260131T235958Z_0123abcd")).value();
  EXPECT_EQ(run.test_name, "my_night_run");
  EXPECT_EQ(run.test_run_id, "0123abcd");
  ASSERT_TRUE(run.start_time);
  EXPECT_EQ(format_timestamp(*run.start_time), "2026-01-31T23:59:58.000000Z");
}

TEST(RunDirectory, TrailingSlashAndDotsDoNotMatter) {
  const support::TemporaryDirectory parent;
  const auto path = make(parent, "run_20260131T235958Z_id");
  EXPECT_EQ(run_of_directory(path / "").value().test_name, "run");
  EXPECT_EQ(run_of_directory(path / "." / ".." / path.filename()).value().test_name, "run");
}

TEST(RunDirectory, AnyOtherNameIsTheTestName) {
  const support::TemporaryDirectory parent;
  for (const char* name : {"plain", "_", "a_b", "a_b_c", "a_20261331T235958Z_id", "a_20260131T235958Z_.id"}) {
    const metricsd::Run run = run_of_directory(make(parent, name)).value();
    EXPECT_EQ(run.test_name, name);
    EXPECT_EQ(run.test_run_id, "");
    EXPECT_FALSE(run.start_time);
  }
}

TEST(RunDirectory, ConfigBeatsTheName) {
  const support::TemporaryDirectory parent;
  const auto path = make(parent, "run_20260131T235958Z_id");
  std::ofstream(path / "test_config.json")
      << R"({"schema_version":1,"test_run_id":"other","test_name":"told"})";
  const metricsd::Run run = run_of_directory(path).value();
  EXPECT_EQ(run.test_name, "told");
  EXPECT_EQ(run.test_run_id, "other");
}

TEST(RunDirectory, ABrokenConfigIsNoReasonToGuess) {
  const support::TemporaryDirectory parent;
  const auto path = make(parent, "run_20260131T235958Z_id");
  std::ofstream(path / "test_config.json") << R"({"test_name":"told",)";
  EXPECT_EQ(run_of_directory(path).error(), Errc::malformed_json);
}

TEST(RunDirectory, DropsComeFromTheSummaryThatIsThere) {
  const support::TemporaryDirectory parent;
  metricsd::Run run;
  EXPECT_TRUE(add_members(parent.path(), run).value().empty());
  std::ofstream(parent.path() / ".members.jsonl").flush();
  EXPECT_FALSE(add_members(parent.path(), run));
  std::ofstream(parent.path() / "aggregated.json") << R"({"dropped":{"socket":{"no_daemon":7}}})";
  EXPECT_EQ(add_members(parent.path(), run).value().at("socket").at("no_daemon"), 7U);
}

TEST(RunDirectory, WhatFinishedProcessesLeftBeatsTheSummary) {
  const support::TemporaryDirectory parent;
  std::ofstream(parent.path() / "aggregated.json") << R"({"dropped":{"socket":{"no_daemon":7}}})";
  std::ofstream(parent.path() / ".members.jsonl")
      << R"({"client_id":"a","pid":1,"start_time":"2026-01-01T00:00:00Z","end_time":"2026-01-01T00:00:09Z",)"
      << R"("users":3,"recorded":5,"dropped":{"ring":{"full":2}}})"
      << "\n";
  metricsd::Run run;
  const DropCounts dropped = add_members(parent.path(), run).value();
  EXPECT_EQ(dropped, (DropCounts{{"ring", {{"full", 2}}}}));
  EXPECT_EQ(run.num_users, 3U);
  EXPECT_EQ(format_timestamp(run.start_time.value()), "2026-01-01T00:00:00.000000Z");
  EXPECT_FALSE(run.end_time);  // others may have gone on, and did not live to say so
}

}  // namespace
}  // namespace metricsd::tools
