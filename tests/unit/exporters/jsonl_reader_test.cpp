#include "files.h"
#include "sample_operation.h"

#include <metricsd/exporters/jsonl_reader.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>
#include <metricsd/support/temporary_directory.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace metricsd::exporters {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string line(const std::string& id) {
  OperationMetric operation = sample_operation();
  operation.operation_id = id;
  std::string text;
  append_operation_json(text, operation);
  return text + '\n';
}

// A line of an operation that is `size` bytes long without its newline, blown up by white space.
std::string padded_line(const std::string& id, std::size_t size) {
  std::string text = line(id);
  text.insert(1, size + 1 - text.size(), ' ');
  return text;
}

struct Contents {
  std::vector<std::string> ids;
  std::uint64_t bad_lines = 0;
};

class JsonlReaderTest : public testing::Test {
 protected:
  Contents read(std::string_view text) {
    const auto path = directory_.path() / "operations.jsonl";
    write_text(path, text);
    auto reader = JsonlReader::open(path);
    EXPECT_TRUE(reader.has_value());
    Contents contents;
    OperationView operation;
    while (reader->next(operation).value()) contents.ids.emplace_back(operation.operation_id);
    EXPECT_FALSE(reader->next(operation).value());  // the end stays the end
    EXPECT_EQ(reader->bytes_read(), text.size());
    EXPECT_EQ(reader->bytes_in_all(), text.size());
    contents.bad_lines = reader->bad_lines();
    return contents;
  }

  support::TemporaryDirectory directory_;
};

TEST_F(JsonlReaderTest, EmptyFile) {
  const Contents contents = read("");
  EXPECT_THAT(contents.ids, IsEmpty());
  EXPECT_EQ(contents.bad_lines, 0U);
}

TEST_F(JsonlReaderTest, EachLineInTurn) {
  const Contents contents = read(line("a") + line("b") + line("c"));
  EXPECT_THAT(contents.ids, ElementsAre("a", "b", "c"));
  EXPECT_EQ(contents.bad_lines, 0U);
}

TEST_F(JsonlReaderTest, EveryCutOfTheLastLine) {
  const std::string whole = line("first") + line("last");
  for (std::size_t size = line("first").size(); size <= whole.size(); ++size) {
    const Contents contents = read(std::string_view(whole).substr(0, size));
    const bool complete = size + 1 >= whole.size();  // all but the newline is all
    const bool nothing = size == line("first").size();
    EXPECT_EQ(contents.ids.size(), complete ? 2U : 1U) << size;
    EXPECT_EQ(contents.bad_lines, complete || nothing ? 0U : 1U) << size;
  }
}

TEST_F(JsonlReaderTest, EmptyLinesAreNothing) {
  const Contents contents = read("\n\n" + line("a") + "\r\n\n" + line("b") + "\n");
  EXPECT_THAT(contents.ids, ElementsAre("a", "b"));
  EXPECT_EQ(contents.bad_lines, 0U);
}

TEST_F(JsonlReaderTest, WhatIsNoOperationIsPassedOver) {
  const Contents contents =
      read("{\"operation_type\":\"uplo\n" + line("a") + "[]\n{}\n\xFF\xFE\n{\"type\":\"status\"}\n" +
           std::string("\0\0\0\n", 4) + line("b") + "garbage");
  EXPECT_THAT(contents.ids, ElementsAre("a", "b"));
  EXPECT_EQ(contents.bad_lines, 7U);
}

TEST_F(JsonlReaderTest, TheLongestLine) {
  const Contents contents =
      read(padded_line("a", limits::kFileLine) + padded_line("b", limits::kFileLine) + line("c"));
  EXPECT_THAT(contents.ids, ElementsAre("a", "b", "c"));
  EXPECT_EQ(contents.bad_lines, 0U);
}

TEST_F(JsonlReaderTest, LongerLinesAreSkippedAndCountedOnce) {
  for (const std::size_t beyond :
       {std::size_t{1}, limits::kFileLine - 1, limits::kFileLine, 4 * limits::kFileLine + 7}) {
    const std::string too_long = padded_line("x", limits::kFileLine + beyond);
    std::string text = line("a");
    for (const std::string& next : {too_long, line("b"), too_long, too_long, line("c")}) text += next;
    const Contents contents = read(text);
    EXPECT_THAT(contents.ids, ElementsAre("a", "b", "c")) << beyond;
    EXPECT_EQ(contents.bad_lines, 3U) << beyond;
  }
}

TEST_F(JsonlReaderTest, ALongLineWithoutEnd) {
  for (const std::size_t size : {limits::kFileLine + 1, 3 * limits::kFileLine}) {
    const Contents contents = read(line("a") + std::string(size, ' '));
    EXPECT_THAT(contents.ids, ElementsAre("a"));
    EXPECT_EQ(contents.bad_lines, 1U);
  }
}

TEST_F(JsonlReaderTest, LinesAcrossEveryRead) {
  std::string text;
  std::vector<std::string> expected;
  for (int i = 0; text.size() < 5 * limits::kFileLine; ++i) {
    expected.push_back("id-" + std::to_string(i));
    text += line(expected.back());
  }
  EXPECT_EQ(read(text).ids, expected);
}

TEST_F(JsonlReaderTest, NoFile) {
  EXPECT_EQ(JsonlReader::open(directory_.path() / "absent").error(),
            boost::system::errc::no_such_file_or_directory);
}

TEST_F(JsonlReaderTest, WhatIsNoFileIsRefusedWithoutWaiting) {
  const auto pipe = directory_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(JsonlReader::open(pipe).error(), boost::system::errc::not_supported);
  EXPECT_EQ(JsonlReader::open(directory_.path()).error(), boost::system::errc::not_supported);
}

TEST_F(JsonlReaderTest, AnErrorOfReadingIsNoEnd) {
  auto reader = JsonlReader::open("/proc/self/mem");  // a file whose first page nobody can read
  ASSERT_TRUE(reader.has_value());
  OperationView operation;
  EXPECT_EQ(reader->next(operation).error(), boost::system::errc::io_error);
}

}  // namespace
}  // namespace metricsd::exporters
