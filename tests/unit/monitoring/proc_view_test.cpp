#include "proc_view.h"

#include <metricsd/support/temporary_directory.h>

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

TEST(ProcView, OfThisProcessIsRight) {
  EXPECT_EQ(fault_of_proc("/proc", ::getpid()), "");
}

TEST(ProcView, OfAnotherNamespaceOrNoneIsNot) {
  const support::TemporaryDirectory directory;
  const std::string proc = directory.path().string();
  EXPECT_EQ(fault_of_proc(proc, 7), proc + " is not there: No such file or directory");
  std::filesystem::create_symlink("17", directory.path() / "self");
  EXPECT_EQ(fault_of_proc(proc, 17), "");
  EXPECT_EQ(fault_of_proc(proc, 7), proc + " is of another PID namespace");
}

}  // namespace
}  // namespace metricsd::tools
