#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/segment_lines.h>
#include <metricsd/support/segment_image.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

using support::SegmentImage;

class FileCompletionTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (directory_.path() / "operations.jsonl").string(); }
  void write(const std::string& content) const { std::ofstream(path(), std::ios::binary) << content; }
  [[nodiscard]] std::string content() const {
    std::ostringstream out;
    out << std::ifstream(path(), std::ios::binary).rdbuf();
    return out.str();
  }

  // The lines that a client would have written of these types, all of one ring.
  static std::vector<std::string> lines_of(const std::vector<std::string>& types) {
    SegmentImage image;
    image.add_ring(ring_of(types));
    const UniqueFd file = image.file();
    const auto segment = SegmentReader::open(file.get());
    const auto names = segment->read_names();
    SegmentLines reader(*segment, *names);
    std::vector<std::string> lines;
    std::string line;
    while (*reader.next(line)) lines.push_back(line);
    return lines;
  }
  static SegmentImage::RingOptions ring_of(const std::vector<std::string>& types) {
    SegmentImage::RingOptions ring;
    for (const std::string& type : types)
      ring.records.push_back(SegmentImage::record(type, 1, 0, "id-" + type));
    return ring;
  }

  Result<std::uint64_t> complete(const UniqueFd& file) const {
    const auto segment = SegmentReader::open(file.get());
    if (!segment) return segment.error();
    return complete_file(*segment, directory_.path(), ::geteuid());
  }
  SegmentImage image(const std::vector<std::string>& types) const {
    SegmentImage image;
    image.add_run({"", directory_.path().string(), "", "", "abc"});
    image.add_ring(ring_of(types));
    return image;
  }

  support::TemporaryDirectory directory_;
  const std::vector<std::string> types_{"a", "b", "c", "d"};
  const std::vector<std::string> lines_ = lines_of(types_);
  const std::string all_ = lines_[0] + lines_[1] + lines_[2] + lines_[3];
};

TEST_F(FileCompletionTest, AddsWhatNobodyBeganToWrite) {
  write("before\n");
  SegmentImage segment = image(types_);
  segment.add_append(AppendState::gathering, 0, "");
  const UniqueFd file = segment.file();
  EXPECT_EQ(complete(file).value(), 4U);
  EXPECT_EQ(content(), "before\n" + all_);
  EXPECT_EQ(complete(file).value(), 0U);
  EXPECT_EQ(content(), "before\n" + all_);
}

TEST_F(FileCompletionTest, LeavesOutWhatWasDealtWith) {
  write(all_);
  SegmentImage segment = image(types_);
  segment.add_append(AppendState::settled, 0, all_, {{.stream = 0, .lines = 3, .first = 1}});
  EXPECT_EQ(complete(segment.file()).value(), 1U);
  EXPECT_EQ(content(), all_ + lines_[3]);
}

// Killed while it wrote: at every byte.
TEST_F(FileCompletionTest, FindsWhatOfAnAppendIsThere) {
  for (std::size_t size = 0; size <= all_.size(); size += 5) {
    write("before\n" + all_.substr(0, size));
    SegmentImage segment = image({"a", "b", "c", "d", "e"});
    segment.add_append(AppendState::appending, 7, all_, {{.stream = 0, .lines = 4, .first = 1}});
    const std::string last = lines_of({"e"}).front();
    ASSERT_TRUE(complete(segment.file()));
    std::istringstream result(content());
    std::vector<std::string> lines;
    for (std::string line; std::getline(result, line);) lines.push_back(line + "\n");
    for (const std::string& line : lines_) {
      ASSERT_EQ(std::count(lines.begin(), lines.end(), line), 1) << size;
    }
    ASSERT_EQ(std::count(lines.begin(), lines.end(), last), 1) << size;
  }
}

TEST_F(FileCompletionTest, FindsLinesAmongThoseOfOthers) {
  write("before\n" + lines_[0] + "other\n" + lines_[1] + "another\n");
  SegmentImage segment = image(types_);
  segment.add_append(AppendState::appending, 7, all_, {{.stream = 0, .lines = 4, .first = 1}});
  EXPECT_EQ(complete(segment.file()).value(), 2U);
  EXPECT_EQ(content(), "before\n" + lines_[0] + "other\n" + lines_[1] + "another\n" + lines_[2] + lines_[3]);
}

// Whatever the text of a segment says, a run's file gets operations.
TEST_F(FileCompletionTest, AddsNothingThatIsNoOperation) {
  write("before\n");
  const std::string text =
      lines_[0] + "{\"planted\":\"=cmd()\"}\n\n{\"type\":\"bye\"}\nrubbish\n" + lines_[1];
  SegmentImage segment = image(types_);
  segment.add_append(AppendState::appending, 7, text, {{.stream = 0, .lines = 2, .first = 1}});
  EXPECT_EQ(complete(segment.file()).value(), 4U);
  EXPECT_EQ(content(), "before\n" + all_);
}

// Who was killed within a line may have spoilt the next one of another process.
TEST_F(FileCompletionTest, GivesAnotherProcessItsLineBack) {
  const std::string others = lines_of({"other"}).front();
  for (const std::size_t cut : {std::size_t{1}, lines_[1].size() / 2, lines_[1].size() - 1}) {
    write("before\n" + lines_[0] + lines_[1].substr(0, cut) + others + "after\n");
    SegmentImage segment = image(types_);
    segment.add_append(AppendState::appending, 7, all_, {{.stream = 0, .lines = 4, .first = 1}});
    ASSERT_TRUE(complete(segment.file()));
    const std::string once = content();
    EXPECT_TRUE(once.ends_with("after\n" + others + lines_[1] + lines_[2] + lines_[3])) << cut << "\n"
                                                                                        << once;
    ASSERT_TRUE(complete(segment.file()));  // the mark of the one before aside: nothing is added
    EXPECT_EQ(content(), once);
  }
}

// Equal lines are as many as there were records.
TEST_F(FileCompletionTest, CountsEqualLines) {
  const std::string line = lines_of({"a"}).front();
  write(line + line);
  SegmentImage segment = image({"a", "a", "a"});
  segment.add_append(AppendState::appending, line.size(), line + line + line,
                     {{.stream = 0, .lines = 3, .first = 1}});
  EXPECT_EQ(complete(segment.file()).value(), 2U);
  EXPECT_EQ(content(), line + line + line + line);
}

// Who adopts may be killed, too.
TEST_F(FileCompletionTest, GoesOnWhereAnotherCompletionEnded) {
  for (std::size_t size = 0; size <= all_.size(); size += 5) {
    write("before\n" + all_.substr(0, size));
    SegmentImage segment = image(types_);
    segment.add_append(AppendState::completing, 7, "");
    ASSERT_TRUE(complete(segment.file()));
    std::istringstream result(content());
    std::vector<std::string> lines;
    for (std::string line; std::getline(result, line);) lines.push_back(line + "\n");
    for (const std::string& line : lines_) ASSERT_EQ(std::count(lines.begin(), lines.end(), line), 1) << size;
  }
}

// A run that has ended counts the records behind its cursors as lost.
TEST_F(FileCompletionTest, LeavesOutWhatCountsAsLost) {
  write("");
  SegmentImage segment;
  segment.add_run({"", directory_.path().string(), "", "", "abc"});
  SegmentImage::RingOptions ring = ring_of(types_);
  ring.taken = 2;
  ring.sequence = 2;
  segment.add_ring(ring);
  segment.add_append(AppendState::gathering, 0, "");
  segment.header().ended = 1;
  EXPECT_EQ(complete(segment.file()).value(), 2U);
  EXPECT_EQ(content(), lines_[0] + lines_[1]);
}

TEST_F(FileCompletionTest, HasNothingToDoWhereTheFileIsGone) {
  SegmentImage segment = image(types_);
  segment.add_append(AppendState::gathering, 0, "");
  EXPECT_EQ(complete(segment.file()).value(), 0U);
}

TEST_F(FileCompletionTest, FollowsNoLinkAndWritesToNobodyElsesFile) {
  SegmentImage segment = image(types_);
  segment.add_append(AppendState::gathering, 0, "");
  const UniqueFd file = segment.file();
  std::ofstream(directory_.path() / "target") << "x";
  std::filesystem::create_symlink(directory_.path() / "target", path());
  EXPECT_EQ(complete(file).error(), Errc::endpoint_untrusted);
  std::filesystem::remove(path());
  write("");
  const auto reader = SegmentReader::open(file.get());
  EXPECT_EQ(complete_file(*reader, directory_.path(), ::geteuid() + 1).error(), Errc::endpoint_untrusted);
}

TEST_F(FileCompletionTest, KnowsWhetherLinesMayLack) {
  const auto may_lack = [this](AppendState state, const std::vector<std::string>& types) {
    SegmentImage segment = image(types);
    segment.add_append(state, 0, "");
    return may_lack_lines(*SegmentReader::open(segment.file().get()));
  };
  EXPECT_FALSE(may_lack(AppendState::gathering, {}));
  EXPECT_TRUE(may_lack(AppendState::gathering, {"a"}));
  EXPECT_TRUE(may_lack(AppendState::appending, {}));
  EXPECT_FALSE(may_lack(AppendState::completed, {"a"}));
}

}  // namespace
}  // namespace metricsd::ipc
