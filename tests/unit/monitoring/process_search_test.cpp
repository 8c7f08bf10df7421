#include "process_search.h"

#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ProcessSearchTest : public testing::Test {
 protected:
  void add(pid_t pid, const std::string& comm, const std::string& command_line) {
    const auto directory = proc_.path() / std::to_string(pid);
    std::filesystem::create_directory(directory);
    std::ofstream(directory / "comm") << comm << '\n';
    std::ofstream(directory / "cmdline") << command_line;
  }
  [[nodiscard]] std::vector<pid_t> find(const char* pattern) const {
    return ProcessSearch(proc_.path(), pattern).find();
  }

  support::TemporaryDirectory proc_;
};

TEST_F(ProcessSearchTest, FindsByNameAndCommandLine) {
  add(30, "python3", std::string("python3\0worker.py\0", 18));
  add(4, "nginx", std::string("nginx: worker process\0", 22));
  add(200, "nginx", std::string("nginx: master process\0", 22));
  std::filesystem::create_directory(proc_.path() / "sys");
  EXPECT_THAT(find("nginx"), ElementsAre(4, 200));
  EXPECT_THAT(find("*worker*"), ElementsAre(4, 30));
  EXPECT_THAT(find("30"), ElementsAre(30));
  EXPECT_THAT(find("apache"), IsEmpty());
}

TEST_F(ProcessSearchTest, NeverFindsItself) {
  add(::getpid(), "metrics-monitor", "");
  EXPECT_THAT(find("metrics*"), IsEmpty());
}

TEST_F(ProcessSearchTest, WithoutProcThereIsNothing) {
  EXPECT_THAT(ProcessSearch(proc_.path() / "nowhere", "*").find(), IsEmpty());
}

}  // namespace
}  // namespace metricsd::tools
