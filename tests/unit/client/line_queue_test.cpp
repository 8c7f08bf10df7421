#include "line_queue.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

TEST(LineQueue, GivesBackWhatWasPushed) {
  LineQueue queue(100);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.push("one\ntwo\n"), 0U);
  EXPECT_EQ(queue.push("three\n"), 0U);
  EXPECT_EQ(queue.front(), "one\ntwo\nthree\n");
  queue.consume(14);
  EXPECT_TRUE(queue.empty());
}

TEST(LineQueue, RefusesTheNewestWholeLines) {
  LineQueue queue(10);
  EXPECT_EQ(queue.push("aaa\nbbb\nccc\nddd\n"), 2U);
  EXPECT_EQ(queue.front(), "aaa\nbbb\n");
  EXPECT_EQ(queue.push("e\n"), 0U);
  EXPECT_EQ(queue.push("f\n"), 1U);
}

// Wherever the bytes are cut and the connection breaks there, the line comes again whole and no other twice.
TEST(LineQueue, RewindsToTheStartOfTheLineAtEveryCut) {
  const std::string lines = "one\ntwo\nthree\n";
  for (std::size_t cut = 0; cut <= lines.size(); ++cut) {
    LineQueue queue(100);
    ASSERT_EQ(queue.push(lines), 0U);
    queue.consume(cut);
    EXPECT_EQ(queue.front(), lines.substr(cut));
    const std::size_t line_start = cut == 0 ? 0 : lines.rfind('\n', cut - 1) + 1;
    EXPECT_EQ(queue.at_line_start(), cut == line_start);
    queue.rewind();
    EXPECT_EQ(queue.front(), lines.substr(line_start));
    EXPECT_EQ(queue.clear(), count_lines(lines.substr(line_start)));
    EXPECT_TRUE(queue.empty());
  }
}

TEST(LineQueue, HasRoomAgainForWhatWasConsumed) {
  LineQueue queue(8);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(queue.push("abc\n"), 0U);
    ASSERT_EQ(queue.push("def\n"), 0U);
    ASSERT_EQ(queue.push("x\n"), 1U);
    queue.consume(8);
  }
}

// What waits never lies beyond the memory that the first push asked for.
TEST(LineQueue, KeepsItsBound) {
  constexpr std::size_t kMost = 10'000;
  LineQueue queue(kMost);
  const std::string line = std::string(96, 'x') + "\n";
  ASSERT_EQ(queue.push(line), 0U);
  const char* const begin = queue.front().data();
  std::string three_lines;
  for (int i = 0; i < 3; ++i) three_lines += line;
  for (int i = 0; i < 10'000; ++i) {
    static_cast<void>(queue.push(three_lines));
    if (i > 200) queue.consume(std::min<std::size_t>(250, queue.front().size()));
    ASSERT_GE(queue.front().data(), begin);
    ASSERT_LE(queue.front().data() + queue.front().size(), begin + 2 * kMost);
  }
}

}  // namespace
}  // namespace metricsd::client
