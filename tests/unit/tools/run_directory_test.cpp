#include "run_directory.h"

#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

std::filesystem::path make(const support::TemporaryDirectory& parent, const char* name) {
  const auto path = parent.path() / name;
  std::filesystem::create_directory(path);
  return path;
}

TEST(RunDirectory, NameTellsTheRun) {
  const support::TemporaryDirectory parent;
  const metricsd::Run run = run_of_directory(make(parent, "my_night_run_20260131T235958Z_0123abcd"));
  EXPECT_EQ(run.test_name, "my_night_run");
  EXPECT_EQ(run.test_run_id, "0123abcd");
  ASSERT_TRUE(run.start_time);
  EXPECT_EQ(format_timestamp(*run.start_time), "2026-01-31T23:59:58.000000Z");
}

TEST(RunDirectory, TrailingSlashAndDotsDoNotMatter) {
  const support::TemporaryDirectory parent;
  const auto path = make(parent, "run_20260131T235958Z_id");
  EXPECT_EQ(run_of_directory(path / "").test_name, "run");
  EXPECT_EQ(run_of_directory(path / "." / ".." / path.filename()).test_name, "run");
}

TEST(RunDirectory, AnyOtherNameIsTheTestName) {
  const support::TemporaryDirectory parent;
  for (const char* name : {"plain", "_", "a_b", "a_b_c", "a_20261331T235958Z_id", "a_20260131T235958Z_.id"}) {
    const metricsd::Run run = run_of_directory(make(parent, name));
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
  const metricsd::Run run = run_of_directory(path);
  EXPECT_EQ(run.test_name, "told");
  EXPECT_EQ(run.test_run_id, "other");
}

TEST(RunDirectory, DropsComeFromTheSummaryThatIsThere) {
  const support::TemporaryDirectory parent;
  EXPECT_TRUE(known_drops(parent.path()).empty());
  std::ofstream(parent.path() / "aggregated.json") << R"({"dropped":{"socket":{"no_daemon":7}}})";
  EXPECT_EQ(known_drops(parent.path()).at("socket").at("no_daemon"), 7U);
}

}  // namespace
}  // namespace metricsd::tools
