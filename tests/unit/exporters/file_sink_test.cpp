#include "files.h"

#include <metricsd/exporters/file_sink.h>
#include <metricsd/support/file_size_limit.h>
#include <metricsd/support/temporary_directory.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class FileSinkTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return directory_.path() / "file.txt"; }
  [[nodiscard]] std::vector<std::string> names() const { return names_in(directory_.path()); }

  support::TemporaryDirectory directory_;
};

TEST_F(FileSinkTest, AppearsOnlyWhenCommitted) {
  FileSink sink(path());
  sink.write("one ");
  sink.write("two");
  EXPECT_FALSE(fs::exists(path()));
  ASSERT_TRUE(sink.commit().has_value());
  EXPECT_EQ(read_text(path()), "one two");
  EXPECT_THAT(names(), ElementsAre("file.txt"));
}

TEST_F(FileSinkTest, UncommittedLeavesNothing) {
  { FileSink(path()).write(std::string(1'000'000, 'x')); }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileSinkTest, ReplacesWhatIsThereOnlyWhenCommitted) {
  write_text(path(), "old");
  {
    FileSink sink(path());
    sink.write("lost");
  }
  EXPECT_EQ(read_text(path()), "old");
  ASSERT_TRUE(write_file(path(), "new").has_value());
  EXPECT_EQ(read_text(path()), "new");
}

TEST_F(FileSinkTest, PiecesOfEverySizeStayInOrder) {
  std::string expected;
  FileSink sink(path());
  for (const std::size_t size : {1U, 262'143U, 0U, 1U, 262'144U, 7U, 1'000'000U, 262'145U, 3U}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    expected += piece;
    sink.write(piece);
  }
  ASSERT_TRUE(sink.commit().has_value());
  EXPECT_EQ(read_text(path()), expected);
}

TEST_F(FileSinkTest, EmptyFile) {
  ASSERT_TRUE(write_file(path(), "").has_value());
  EXPECT_TRUE(fs::exists(path()));
  EXPECT_EQ(fs::file_size(path()), 0U);
}

TEST_F(FileSinkTest, SinksOfOneFileDoNotMeet) {
  FileSink first(path());
  FileSink second(path());
  first.write("first");
  second.write("second");
  ASSERT_TRUE(first.commit().has_value());
  ASSERT_TRUE(second.commit().has_value());
  EXPECT_EQ(read_text(path()), "second");
  EXPECT_THAT(names(), ElementsAre("file.txt"));
}

TEST_F(FileSinkTest, ASymlinkAtThePathIsReplacedNotFollowed) {
  write_text(directory_.path() / "target", "untouched");
  fs::create_symlink("target", path());
  ASSERT_TRUE(write_file(path(), "new").has_value());
  EXPECT_EQ(read_text(directory_.path() / "target"), "untouched");
  EXPECT_FALSE(fs::is_symlink(path()));
}

TEST_F(FileSinkTest, NoDirectory) {
  FileSink sink(directory_.path() / "absent" / "file.txt");
  sink.write("x");
  EXPECT_EQ(sink.commit().error(), boost::system::errc::no_such_file_or_directory);
}

TEST_F(FileSinkTest, ParentIsAFile) {
  write_text(path(), "file");
  EXPECT_EQ(write_file(path() / "x", "x").error(), boost::system::errc::not_a_directory);
  EXPECT_EQ(read_text(path()), "file");
}

TEST_F(FileSinkTest, ADirectoryInTheWay) {
  fs::create_directory(path());
  EXPECT_EQ(write_file(path(), "x").error(), boost::system::errc::is_a_directory);
  EXPECT_THAT(names(), ElementsAre("file.txt"));
}

TEST_F(FileSinkTest, NoRoomLeavesTheOldFileAndNothingElse) {
  write_text(path(), "old");
  const support::FileSizeLimit limit(300'000);
  FileSink sink(path());
  sink.write(std::string(1'000'000, 'x'));  // a short write first, then the error
  sink.write("more");
  EXPECT_EQ(sink.commit().error(), boost::system::errc::file_too_large);
  EXPECT_EQ(read_text(path()), "old");
  EXPECT_THAT(names(), ElementsAre("file.txt"));
}

TEST_F(FileSinkTest, NoRoomForTheLastPiece) {
  const support::FileSizeLimit limit(10);
  FileSink sink(path());
  sink.write("more than ten bytes");  // still in the buffer
  EXPECT_EQ(sink.commit().error(), boost::system::errc::file_too_large);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileSinkTest, ARelativePathWithoutDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(directory_.path());
  const Result<> written = write_file("file.txt", "here");
  fs::current_path(before);
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(read_text(path()), "here");
}

}  // namespace
}  // namespace metricsd::exporters
