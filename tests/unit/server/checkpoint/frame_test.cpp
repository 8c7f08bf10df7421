#include "checkpoint/frame.h"

#include "faulty_files.h"

#include <metricsd/support/temporary_directory.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

namespace fs = std::filesystem;

struct Read {
  std::vector<std::pair<std::uint64_t, std::string>> frames;
  FileEnd end = FileEnd::whole;
  std::uint64_t size = 0;

  bool operator==(const Read&) const = default;
};

class FrameTest : public ::testing::Test {
 protected:
  void write(const std::vector<std::string>& bodies, std::uint64_t generation = 7) {
    fs::remove(path_);
    auto writer = FrameWriter::create(files_, path_).value();
    FrameKind kind = FrameKind::base;
    for (const std::string& body : bodies) {
      ASSERT_TRUE(writer.append({.kind = kind, .generation = generation++, .body = body}));
      kind = FrameKind::increment;
    }
    ASSERT_TRUE(writer.sync());
    EXPECT_EQ(writer.size(), fs::file_size(path_));
  }

  Read read() {
    Read result;
    auto reader = FrameReader::open(files_, path_).value();
    while (const auto frame = reader.next()) {
      result.frames.emplace_back(frame->generation, frame->body);
      result.size = reader.size();
    }
    result.end = reader.end();
    EXPECT_EQ(reader.next(), std::nullopt);
    return result;
  }

  std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void set_bytes(std::string_view bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc).write(bytes.data(), std::ssize(bytes));
  }

  support::TemporaryDirectory directory_;
  fs::path path_ = directory_.path() / "file";
  FaultyFiles files_;
};

TEST_F(FrameTest, WhatWasWrittenIsRead) {
  write({"the base", "", std::string(3'000'000, 'x')});
  const Read result = read();
  ASSERT_EQ(result.frames.size(), 3U);
  EXPECT_EQ(result.frames[0], std::pair(std::uint64_t{7}, std::string("the base")));
  EXPECT_EQ(result.frames[1], std::pair(std::uint64_t{8}, std::string()));
  EXPECT_EQ(result.frames[2].second.size(), 3'000'000U);
  EXPECT_EQ(result.end, FileEnd::whole);
  EXPECT_EQ(result.size, fs::file_size(path_));
}

// What stands in them is the same, less the tasks.
TEST_F(FrameTest, FilesOfTheVersionBeforeAreRead) {
  write({"base", "more"});
  const Read now = read();
  std::string bytes = this->bytes();
  const std::size_t version = bytes.find('2');
  ASSERT_LT(version, bytes.find('\n'));
  bytes[version] = '1';
  set_bytes(bytes);
  EXPECT_EQ(read(), now);
}

TEST_F(FrameTest, ShortWritesAreWrittenOn) {
  files_.write_at_most(3);
  write({"the base", "an increment"});
  EXPECT_EQ(read().frames.size(), 2U);
}

// However much of a file is there: the frames that are whole count, and nothing else.
TEST_F(FrameTest, EveryTruncationLeavesTheFramesBeforeIt) {
  write({"the base", "first", "second"});
  const std::string whole = bytes();
  const Read all = read();
  const std::size_t title = 22;
  const std::vector<std::size_t> ends{title + 40 + 8, title + 80 + 8 + 5, whole.size()};
  ASSERT_EQ(ends.back(), title + 120 + 8 + 5 + 6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    set_bytes(std::string_view(whole).substr(0, size));
    const Read result = read();
    std::size_t expected = 0;
    while (ends[expected] <= size) ++expected;
    ASSERT_EQ(result.frames.size(), expected) << size;
    for (std::size_t i = 0; i < expected; ++i) EXPECT_EQ(result.frames[i], all.frames[i]);
    const bool at_end = size == title || (expected > 0 && ends[expected - 1] == size);
    EXPECT_EQ(result.end, size < title ? FileEnd::damaged : at_end ? FileEnd::whole : FileEnd::torn) << size;
  }
}

TEST_F(FrameTest, EveryFlippedByteEndsTheFileBeforeItsFrame) {
  write({"the base", "first", "second"});
  const std::string whole = bytes();
  const Read all = read();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      set_bytes(damaged);
      const Read result = read();
      const std::size_t expected = at < 22 + 48 ? 0 : at < 22 + 48 + 45 ? 1 : 2;
      ASSERT_EQ(result.frames.size(), expected) << at;
      for (std::size_t i = 0; i < expected; ++i) EXPECT_EQ(result.frames[i], all.frames[i]);
      // A flip may turn one version into another: no sum covers the title, which may be anybody's.
      const bool is_version = damaged.starts_with("metricsd checkpoint 3\n");
      EXPECT_EQ(result.end, is_version ? FileEnd::foreign : FileEnd::damaged) << at;
    }
  }
}

TEST_F(FrameTest, AFrameOfAnotherFileDoesNotCount) {
  write({"one", "increment"});
  const std::string first = bytes();
  write({"two", "increment"});
  const std::string second = bytes();
  const std::size_t base = 22 + 40 + 3;
  set_bytes(second.substr(0, base) + first.substr(base));
  const Read result = read();
  ASSERT_EQ(result.frames.size(), 1U);
  EXPECT_EQ(result.end, FileEnd::damaged);
}

TEST_F(FrameTest, AFrameThatComesTwiceCountsOnce) {
  write({"one", "increment"});
  const std::string whole = bytes();
  set_bytes(whole + whole.substr(22 + 40 + 3));
  const Read result = read();
  EXPECT_EQ(result.frames.size(), 2U);
  EXPECT_EQ(result.end, FileEnd::damaged);
}

TEST_F(FrameTest, AnotherVersionIsNoDamage) {
  for (const std::string version : {"3", "23"}) {
    set_bytes("metricsd checkpoint " + version + "\nMDfr");
    const auto reader = FrameReader::open(files_, path_);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->end(), FileEnd::foreign);
    EXPECT_EQ(reader->foreign_version(), version);
  }
}

// A length that is a lie costs no more memory than there are bytes.
TEST_F(FrameTest, AnyBytesAreRead) {
  for (const std::string_view content : {"", "metricsd", "metricsd checkpoint x\nMDfr", "\n\n\n"}) {
    set_bytes(content);
    EXPECT_TRUE(read().frames.empty());
    EXPECT_EQ(read().end, FileEnd::damaged);
  }
  EXPECT_EQ(FrameReader::open(files_, directory_.path() / "none").error(),
            boost::system::errc::no_such_file_or_directory);
  EXPECT_EQ(FrameReader::open(files_, directory_.path()).value().end(), FileEnd::unreadable);
}

TEST_F(FrameTest, WhatCannotBeReadMayBeThereAnotherTime) {
  write({"one", "increment"});
  for (std::uint64_t failing = 1; failing <= 5; ++failing) {
    files_.fail_with(
        [failing](FaultyFiles::Call, std::uint64_t number) { return number == failing + 1 ? EIO : 0; });
    const Read result = read();
    EXPECT_EQ(result.end, FileEnd::unreadable) << failing;
    EXPECT_EQ(result.frames.size(), failing < 4 ? 0U : 1U) << failing;
  }
}

TEST_F(FrameTest, EveryErrorOfWritingIsTold) {
  for (std::uint64_t failing = 1; failing <= 5; ++failing) {
    fs::remove(path_);
    files_.fail_with(
        [failing](FaultyFiles::Call, std::uint64_t number) { return number == failing ? ENOSPC : 0; });
    const auto written = [&]() -> Result<> {
      auto writer = FrameWriter::create(files_, path_);
      if (!writer) return writer.error();
      if (const auto appended = writer->append({.generation = 1, .body = "body"}); !appended) return appended;
      return writer->sync();
    }();
    ASSERT_FALSE(written) << failing;
    EXPECT_EQ(written.error(), boost::system::errc::no_space_on_device);
  }
}

}  // namespace
}  // namespace metricsd::server
