#include "run_recorder.h"

#include "support/run_directory.h"

#include <metricsd/models/limits.h>
#include <metricsd/support/temporary_directory.h>

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

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

  // Lines, each with its newline, as a turn of the drainer writes them.
  static void append(RunRecorder& recorder, std::string_view lines) {
    while (!lines.empty()) {
      const std::size_t size = lines.find('\n') + 1;
      recorder.add(0, ++ordinal_, lines.substr(0, size));
      lines.remove_prefix(size);
    }
    recorder.append();
    recorder.done();
  }
  void append_anew(std::string_view lines) {
    RunRecorder recorder(*RunRecorder::open(directory_.path()), losses_, segment_);
    append(recorder, lines);
  }

  static inline std::uint64_t ordinal_ = 0;
  support::TemporaryDirectory directory_;
  LossLedger losses_;
  Segment segment_{"0123456789abcdef0123456789abcdef"};
};

TEST_F(RunRecorderTest, AppendsToWhatIsThere) {
  append_anew("{\"a\":1}\n");
  append_anew("{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(content_of(file()), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(total(losses_.totals()), 0U);
}

TEST_F(RunRecorderTest, DoesNotFollowALink) {
  ASSERT_EQ(::symlink("elsewhere", file().c_str()), 0);
  EXPECT_FALSE(RunRecorder::open(directory_.path()));
}

TEST_F(RunRecorderTest, CountsWhatADeviceThatIsFullCannotTake) {
  RunRecorder recorder(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), losses_, segment_);
  append(recorder, "{}\n{}\n");
  append(recorder, "{}\n");
  EXPECT_EQ(losses_.count(Loss::jsonl_disk_full), 3U);
}

TEST_F(RunRecorderTest, CountsOtherErrorsApart) {
  RunRecorder recorder(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), losses_, segment_);
  append(recorder, "{}\n");
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
    RunRecorder recorder(*RunRecorder::open(directory_.path()), losses, segment_);
    limit_file_size(room);
    append(recorder, first);
    limit_file_size(RLIM_INFINITY);
    append(recorder, "{\"d\":4}\n");

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
  RunRecorder one(*RunRecorder::open(directory_.path()), losses_, segment_);
  RunRecorder other(*RunRecorder::open(directory_.path()), losses_, segment_);
  limit_file_size(4);
  append(one, "{\"a\":1}\n");
  append(other, "{\"b\":2}\n");
  limit_file_size(RLIM_INFINITY);
  append(other, "{\"c\":3}\n");
  ::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(content_of(file()), "{\"a\"\n{\"c\":3}\n");
  EXPECT_EQ(losses_.count(Loss::jsonl_disk_full), 2U);
}

const ipc::AppendBlock& block_of(const Segment& segment) {
  static std::vector<std::byte> page(Segment::page_bytes());
  // The only block: right behind the header.
  EXPECT_EQ(::pread(segment.descriptor(), page.data(), page.size(), static_cast<off_t>(page.size())),
            static_cast<ssize_t>(page.size()));
  return *reinterpret_cast<const ipc::AppendBlock*>(page.data());
}

// A reader after a kill finds which records the lines are of, and how long the file was before them.
TEST_F(RunRecorderTest, SaysInTheSegmentWhatIsOnItsWay) {
  append_anew("{\"a\":1}\n");
  Segment segment("0123456789abcdef0123456789abcdef");
  RunRecorder recorder(*RunRecorder::open(directory_.path()), losses_, segment);
  recorder.add(3, 7, "{\"b\":1}\n");
  recorder.add(3, 8, "{\"b\":2}\n");
  recorder.add(3, 10, "{\"b\":3}\n");  // 9 was none
  recorder.add(4, 11, "{\"b\":4}\n");
  EXPECT_EQ(block_of(segment).state.load(), ipc::AppendState::gathering);
  recorder.append();
  const ipc::AppendBlock& block = block_of(segment);
  EXPECT_EQ(block.state.load(), ipc::AppendState::settled);
  EXPECT_EQ(block.file_bytes, 8U);
  EXPECT_EQ(block.text_bytes, 32U);
  ASSERT_EQ(block.spans_used, 3U);
  const auto says = [&block](std::size_t i, std::uint32_t stream, std::uint64_t first, std::uint32_t lines) {
    const ipc::AppendSpan& span = block.spans[i];
    return span.stream == stream && span.first == first && span.lines == lines;
  };
  EXPECT_TRUE(says(0, 3, 7, 2));
  EXPECT_TRUE(says(1, 3, 10, 1));
  EXPECT_TRUE(says(2, 4, 11, 1));
  std::string text(block.text_bytes, ' ');
  EXPECT_EQ(
      ::pread(segment.descriptor(), text.data(), text.size(), static_cast<off_t>(2 * Segment::page_bytes())),
      static_cast<ssize_t>(text.size()));
  EXPECT_TRUE(content_of(file()).ends_with(text));
  recorder.done();
  EXPECT_EQ(block_of(segment).state.load(), ipc::AppendState::gathering);
}

TEST_F(RunRecorderTest, IsFullBeforeItsSpansOrItsTextAre) {
  RunRecorder recorder(*RunRecorder::open(directory_.path()), losses_, segment_);
  std::uint64_t lines = 0;
  for (; !recorder.is_full(); ++lines) recorder.add(0, 2 * lines, "{}\n");
  EXPECT_EQ(lines, ipc::kAppendSpans);
  recorder.append();
  recorder.done();
  const std::string line = std::string(limits::kPlainLine - 1, 'x') + "\n";
  for (lines = 0; !recorder.is_full(); ++lines) recorder.add(0, lines, line);
  EXPECT_EQ(lines, 4U);
  recorder.append();
  EXPECT_EQ(std::filesystem::file_size(file()), 3 * ipc::kAppendSpans + 4 * line.size());
}

}  // namespace
}  // namespace metricsd::client
