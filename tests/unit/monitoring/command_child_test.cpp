#include "command_child.h"

#include <metricsd/support/temporary_directory.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

namespace fs = std::filesystem;

class LookForCommand : public testing::Test {
 protected:
  LookForCommand() {
    make("both", fs::perms::owner_all);
    make("plain", fs::perms::owner_read);
    fs::create_directory(directory_.path() / "folder");
    ::setenv("PATH", ("/nowhere:" + directory_.path().string()).c_str(), 1);
  }
  ~LookForCommand() override { ::setenv("PATH", path_before_.c_str(), 1); }

  void make(const char* name, fs::perms perms) {
    std::ofstream(directory_.path() / name) << "#!/bin/sh\n";
    fs::permissions(directory_.path() / name, perms);
  }

  const std::string path_before_ = std::getenv("PATH");
  support::TemporaryDirectory directory_;
};

TEST_F(LookForCommand, FindsWhatAShellFinds) {
  EXPECT_EQ(look_for_command("both").exit_code, 0);
  EXPECT_EQ(look_for_command((directory_.path() / "both").string()).exit_code, 0);
}

TEST_F(LookForCommand, WhatIsNotThereIs127) {
  EXPECT_EQ(look_for_command("nosuch").exit_code, 127);
  EXPECT_EQ(look_for_command("nosuch").why, "command not found");
  EXPECT_EQ(look_for_command("").exit_code, 127);
  EXPECT_EQ(look_for_command("/nowhere/nosuch").exit_code, 127);
  EXPECT_EQ(look_for_command((directory_.path() / "both" / "x").string()).exit_code, 127);
}

TEST_F(LookForCommand, WhatCanNotRunIs126) {
  EXPECT_EQ(look_for_command((directory_.path() / "plain").string()).exit_code, 126);
  EXPECT_EQ(look_for_command((directory_.path() / "folder").string()).exit_code, 126);
  EXPECT_EQ(look_for_command("plain").exit_code, 126);
}

}  // namespace
}  // namespace metricsd::tools
