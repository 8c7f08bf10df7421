#include "run_recorder.h"

#include "support/run_directory.h"

#include <metricsd/support/temporary_directory.h>

#include <csignal>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using testing::content_of;

class RunRecorderTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "operations.jsonl"; }

  support::TemporaryDirectory directory_;
  LossLedger losses_;
};

TEST_F(RunRecorderTest, AppendsToWhatIsThere) {
  RunRecorder(*RunRecorder::open(directory_.path()), losses_).append("{\"a\":1}\n");
  RunRecorder(*RunRecorder::open(directory_.path()), losses_).append("{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(content_of(file()), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(total(losses_.totals()), 0U);
}

TEST_F(RunRecorderTest, DoesNotFollowALink) {
  ASSERT_EQ(::symlink("elsewhere", file().c_str()), 0);
  EXPECT_FALSE(RunRecorder::open(directory_.path()));
}

TEST_F(RunRecorderTest, CountsWhatADeviceThatIsFullCannotTake) {
  RunRecorder recorder(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), losses_);
  recorder.append("{}\n{}\n");
  recorder.append("{}\n");
  EXPECT_EQ(losses_.count(Loss::jsonl_disk_full), 3U);
}

TEST_F(RunRecorderTest, CountsOtherErrorsApart) {
  RunRecorder recorder(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), losses_);
  recorder.append("{}\n");
  EXPECT_EQ(losses_.count(Loss::jsonl_io_error), 1U);
}

void limit_file_size(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// The file may hold `room` bytes at first and any number later: at every cut of the first lines, what is in
// the file in the end is whole lines, none twice, and at most one torn piece; and lines kept and lost add up.
TEST_F(RunRecorderTest, KeepsLinesWholeAtEveryCutOfAShortWrite) {
  ::signal(SIGXFSZ, SIG_IGN);
  const std::string first = "{\"a\":1}\n{\"b\":22}\n{\"c\":333}\n";
  for (std::size_t room = 0; room <= first.size(); ++room) {
    std::filesystem::remove(file());
    LossLedger losses;
    RunRecorder recorder(*RunRecorder::open(directory_.path()), losses);
    limit_file_size(room);
    recorder.append(first);
    limit_file_size(RLIM_INFINITY);
    recorder.append("{\"d\":4}\n");

    std::uint64_t whole = 0;
    std::uint64_t torn = 0;
    for (const std::string& line : testing::lines_of(file())) {
      if (line.empty()) continue;  // after an error an append begins with a newline
      (line.back() == '}' && (first + "{\"d\":4}\n").find(line + "\n") != std::string::npos ? whole : torn) +=
          1;
    }
    EXPECT_EQ(whole + losses.count(Loss::jsonl_disk_full), 4U) << room << "\n" << content_of(file());
    EXPECT_LE(torn, 1U) << content_of(file());
    EXPECT_TRUE(content_of(file()).ends_with("{\"d\":4}\n"));
  }
  ::signal(SIGXFSZ, SIG_DFL);
}

// Of two on a full disk one leaves half a line: the other, refused there, begins anew on a line of its own.
TEST_F(RunRecorderTest, DoesNotGlueItsLineToAnothersTornOne) {
  ::signal(SIGXFSZ, SIG_IGN);
  RunRecorder one(*RunRecorder::open(directory_.path()), losses_);
  RunRecorder other(*RunRecorder::open(directory_.path()), losses_);
  limit_file_size(4);
  one.append("{\"a\":1}\n");
  other.append("{\"b\":2}\n");
  limit_file_size(RLIM_INFINITY);
  other.append("{\"c\":3}\n");
  ::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(content_of(file()), "{\"a\"\n{\"c\":3}\n");
  EXPECT_EQ(losses_.count(Loss::jsonl_disk_full), 2U);
}

}  // namespace
}  // namespace metricsd::client
