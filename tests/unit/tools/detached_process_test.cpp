#include "detached_process.h"

#include <metricsd/support/temporary_directory.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void wait_until_ended(DetachedProcess& process) {
  while (process.runs()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(DetachedProcess, AppendsItsOutputToTheLog) {
  const support::TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  for (int i = 0; i < 2; ++i) {
    auto process = DetachedProcess::start({"sh", "-c", "echo out; echo err >&2"}, log);
    ASSERT_TRUE(process);
    wait_until_ended(*process);
  }
  EXPECT_EQ(content(log), "out\nerr\nout\nerr\n");
}

TEST(DetachedProcess, HasASessionAndNoInput) {
  const support::TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  auto process = DetachedProcess::start({"sh", "-c", "cat; cut -d' ' -f6 /proc/$$/stat"}, log);
  ASSERT_TRUE(process);
  wait_until_ended(*process);
  EXPECT_EQ(content(log), std::to_string(process->pid()) + "\n");
}

TEST(DetachedProcess, InheritsNoDescriptor) {
  const support::TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  const int inherited = ::dup2(STDERR_FILENO, 77);
  ASSERT_EQ(inherited, 77);
  auto process =
      DetachedProcess::start({"sh", "-c", "test -e /proc/self/fd/77 && echo inherited || echo none"}, log);
  ::close(inherited);
  ASSERT_TRUE(process);
  wait_until_ended(*process);
  EXPECT_EQ(content(log), "none\n");
}

TEST(DetachedProcess, SaysWhyAProgramDoesNotStart) {
  const support::TemporaryDirectory directory;
  const auto process = DetachedProcess::start({"/nowhere/to/be/found"}, directory.path() / "log");
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error(), boost::system::errc::no_such_file_or_directory);
  EXPECT_FALSE(DetachedProcess::start({"true"}, directory.path() / "missing" / "log"));
}

TEST(DetachedProcess, EndsWhatDoesNotWantTo) {
  const support::TemporaryDirectory directory;
  auto process = DetachedProcess::start({"sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"},
                                        directory.path() / "log");
  ASSERT_TRUE(process);
  EXPECT_TRUE(process->runs());
  process->end();
  EXPECT_FALSE(process->runs());
}

}  // namespace
}  // namespace metricsd::tools
