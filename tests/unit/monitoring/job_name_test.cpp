#include "job_name.h"

#include <metricsd/support/temporary_directory.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

constexpr Timestamp kNow{1'763'650'000 * kNsPerSecond + 5};

TEST(JobName, IsTheNameAndTheSecond) {
  const support::TemporaryDirectory directory;
  EXPECT_EQ(claim_job_name(directory.path() / "jobs", "build", kNow), "build_1763650000");
}

TEST(JobName, IsNeverGivenTwice) {
  const support::TemporaryDirectory directory;
  std::set<std::string> names;
  for (int i = 0; i < 10; ++i) names.insert(claim_job_name(directory.path() / "jobs", "a/b", kNow));
  EXPECT_EQ(names.size(), 10U);
  EXPECT_EQ(*names.begin(), "a/b_1763650000");
  EXPECT_EQ(*names.rbegin(), "a/b_1763650009");
  EXPECT_EQ(claim_job_name(directory.path() / "jobs", "other", kNow), "other_1763650000");
}

TEST(JobName, OldClaimsGo) {
  const support::TemporaryDirectory directory;
  const auto jobs = directory.path() / "jobs";
  static_cast<void>(claim_job_name(jobs, "old", kNow));
  const auto claim = jobs / "old_1763650000";
  ASSERT_TRUE(std::filesystem::exists(claim));
  std::filesystem::last_write_time(claim,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  static_cast<void>(claim_job_name(jobs, "new", kNow));
  EXPECT_FALSE(std::filesystem::exists(claim));
  EXPECT_TRUE(std::filesystem::exists(jobs / "new_1763650000"));
}

TEST(JobName, WithoutADirectoryItIsTheSecondAlone) {
  const support::TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  std::ofstream(file) << "x";
  EXPECT_EQ(claim_job_name(file / "jobs", "build", kNow), "build_1763650000");
}

TEST(JobName, BasesFitALabel) {
  EXPECT_TRUE(is_job_base("make -j2"));
  EXPECT_FALSE(is_job_base(""));
  EXPECT_FALSE(is_job_base(std::string(201, 'x')));
  EXPECT_FALSE(is_job_base("\xFF"));
}

}  // namespace
}  // namespace metricsd::tools
