#include <metricsd/ipc/line_splitter.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace metricsd::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kTooLong = "<too long>";

// Feeds a copy that is overwritten afterwards, so that a line that refers to bytes long gone shows.
void feed(LineSplitter& splitter, std::string_view bytes, std::vector<std::string>& told) {
  std::string copy(bytes);
  splitter.feed(copy);
  for (auto step = splitter.next(); step != LineSplitter::Step::need_more; step = splitter.next()) {
    told.emplace_back(step == LineSplitter::Step::line ? splitter.line() : kTooLong);
  }
  copy.assign(copy.size(), '#');
}

std::vector<std::string> told_of(std::size_t max_line, const std::vector<std::string>& feeds) {
  LineSplitter splitter(max_line);
  std::vector<std::string> told;
  for (const std::string& bytes : feeds) feed(splitter, bytes, told);
  return told;
}

// Everything at once: short and empty lines, both ends of line, lone CRs, lengths around the limit of 8.
const std::string kCorpus =
    "a\nbc\r\n\n\r\n\rx\ny\r\r\n12345678\n12345678\r\n123456789\n123456789\r\n12345678\r9\n123456789012345678"
    "9\nz\n\xC3\xA4\n";
const std::vector<std::string> kCorpusTold{"a",          "bc",         "\rx",        "y\r",
                                           "12345678",   "12345678",   "<too long>", "<too long>",
                                           "<too long>", "<too long>", "z",          "\xC3\xA4"};

TEST(LineSplitter, HandsOutLinesOfOneFeed) {
  EXPECT_EQ(told_of(8, {kCorpus}), kCorpusTold);
}

TEST(LineSplitter, IsRightByteByByte) {
  std::vector<std::string> bytes;
  for (const char c : kCorpus) bytes.emplace_back(1, c);
  EXPECT_EQ(told_of(8, bytes), kCorpusTold);
}

TEST(LineSplitter, IsRightAtEverySplitIntoThree) {
  for (std::size_t first = 0; first <= kCorpus.size(); ++first) {
    for (std::size_t second = first; second <= kCorpus.size(); ++second) {
      ASSERT_EQ(told_of(8, {kCorpus.substr(0, first), kCorpus.substr(first, second - first),
                            kCorpus.substr(second)}),
                kCorpusTold)
          << "split at " << first << " and " << second;
    }
  }
}

TEST(LineSplitter, HandsOutWholeLinesInPlace) {
  const std::string bytes = "first\nsecond\n";
  LineSplitter splitter(100);
  splitter.feed(bytes);
  ASSERT_EQ(splitter.next(), LineSplitter::Step::line);
  EXPECT_EQ(splitter.line().data(), bytes.data());
  ASSERT_EQ(splitter.next(), LineSplitter::Step::line);
  EXPECT_EQ(splitter.line().data(), bytes.data() + 6);
}

TEST(LineSplitter, TakesALineOfExactlyTheLimit) {
  const std::string limit(64, 'x');
  EXPECT_THAT(told_of(64, {limit + "\n"}), ElementsAre(limit));
  EXPECT_THAT(told_of(64, {limit + "\r\n"}), ElementsAre(limit));
  EXPECT_THAT(told_of(64, {limit, "\r", "\n"}), ElementsAre(limit));
  EXPECT_THAT(told_of(64, {limit + "x\n"}), ElementsAre(kTooLong));
}

TEST(LineSplitter, TellsOfALineThatIsTooLongBeforeItsEnd) {
  EXPECT_THAT(told_of(4, {"12345"}), ElementsAre(kTooLong));
  EXPECT_THAT(told_of(4, {"1234", "5"}), ElementsAre(kTooLong));
  EXPECT_THAT(told_of(4, {"1234", "\r"}), IsEmpty()) << "the CR may belong to the line's end";
  EXPECT_THAT(told_of(4, {"1234", "\r", "\r"}), ElementsAre(kTooLong));
}

TEST(LineSplitter, TellsOnceOfALineThatIsTooLongAndGoesOnBehindIt) {
  EXPECT_THAT(told_of(4, {"12345", "67890", "more\nnext\n"}), ElementsAre(kTooLong, "next"));
  EXPECT_THAT(told_of(4, {"12345\n67890\nnext\n"}), ElementsAre(kTooLong, kTooLong, "next"));
  EXPECT_THAT(told_of(4, {"12345", "\n67890\n", "next\n"}), ElementsAre(kTooLong, kTooLong, "next"));
}

TEST(LineSplitter, LetsWholeLinesBeTakenFromOutside) {
  LineSplitter splitter(4);
  EXPECT_EQ(splitter.whole_lines(), "");
  splitter.feed("one\ntwo\n12345\nthr");
  EXPECT_EQ(splitter.whole_lines(), "one\ntwo\n12345\n");
  EXPECT_TRUE(splitter.take_line(4));
  EXPECT_EQ(splitter.next(), LineSplitter::Step::line);
  EXPECT_EQ(splitter.line(), "two");
  EXPECT_EQ(splitter.whole_lines(), "12345\n");
  EXPECT_FALSE(splitter.take_line(6));
  EXPECT_EQ(splitter.next(), LineSplitter::Step::too_long);
  EXPECT_EQ(splitter.whole_lines(), "");
  EXPECT_EQ(splitter.next(), LineSplitter::Step::need_more);
  splitter.feed("ee\nfour\n");
  EXPECT_EQ(splitter.whole_lines(), "");  // for a line is under way
}

TEST(LineSplitter, KnowsOfAHalfLine) {
  LineSplitter splitter(4);
  std::vector<std::string> told;
  EXPECT_FALSE(splitter.has_partial_line());
  feed(splitter, "ab", told);
  EXPECT_TRUE(splitter.has_partial_line());
  feed(splitter, "c\n", told);
  EXPECT_FALSE(splitter.has_partial_line());
  feed(splitter, "12345", told);
  EXPECT_FALSE(splitter.has_partial_line()) << "it was told as too long";
}

TEST(LineSplitter, KeepsAJoinedLineUntilTheNextStep) {
  LineSplitter splitter(100);
  splitter.feed("jo");
  ASSERT_EQ(splitter.next(), LineSplitter::Step::need_more);
  splitter.feed("ined\nhalf");
  ASSERT_EQ(splitter.next(), LineSplitter::Step::line);
  EXPECT_EQ(splitter.line(), "joined");
  EXPECT_FALSE(splitter.has_partial_line());
  ASSERT_EQ(splitter.next(), LineSplitter::Step::need_more);
  EXPECT_TRUE(splitter.has_partial_line());
}

TEST(LineSplitter, SaysWhatALineUnderWayTakes) {
  LineSplitter splitter(10'000);
  std::vector<std::string> told;
  EXPECT_EQ(splitter.held_bytes(), 0U);
  feed(splitter, "whole\n" + std::string(8000, 'x'), told);
  EXPECT_GE(splitter.held_bytes(), 8000U);
  feed(splitter, "\n", told);
  EXPECT_EQ(splitter.held_bytes(), 0U);
  feed(splitter, std::string(20'000, 'x'), told);
  EXPECT_EQ(splitter.held_bytes(), 0U) << "it was told as too long";
}

long peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(LineSplitter, KeepsItsMemoryHoweverLongALineIs) {
  constexpr std::size_t kChunk = 64 * 1024;
  constexpr std::size_t kChunks = 16 * 1024;  // 1 GiB
  const std::string chunk(kChunk, 'x');
  LineSplitter splitter(kChunk);
  const long before = peak_memory_kib();
  int told = 0;
  for (std::size_t i = 0; i < kChunks; ++i) {
    splitter.feed(chunk);
    while (splitter.next() != LineSplitter::Step::need_more) ++told;
  }
  EXPECT_EQ(told, 1);
  EXPECT_LT(peak_memory_kib() - before, 16 * 1024);

  splitter.feed("\nnext\n");
  ASSERT_EQ(splitter.next(), LineSplitter::Step::line);
  EXPECT_EQ(splitter.line(), "next");
}

}  // namespace
}  // namespace metricsd::ipc
