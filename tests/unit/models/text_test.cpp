#include <metricsd/models/text.h>
#include <metricsd/models/utf8.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using namespace std::string_view_literals;

std::string cleaned(std::string_view text, std::size_t limit = 100) {
  std::string out = "old";
  assign_clean(out, text, limit);
  return out;
}

TEST(Text, LeavesGoodTextAlone) {
  std::string out;
  EXPECT_TRUE(assign_clean(out, "gr\xC3\xBC\xC3\x9F dich", 100));
  EXPECT_EQ(out, "gr\xC3\xBC\xC3\x9F dich");
}

TEST(Text, ReplacesBadBytes) {
  EXPECT_EQ(cleaned("a\xFF"
                    "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(cleaned("\xC3"), "\xEF\xBF\xBD");
  EXPECT_TRUE(is_valid_utf8(cleaned("\xED\xA0\x80")));  // a surrogate
}

TEST(Text, RemovesNul) {
  EXPECT_EQ(cleaned("a\0b"sv), "ab");
}

// Plain text is told by the word: wherever something else stands, it is found.
TEST(Text, FindsWhatIsNotCleanAnywhere) {
  for (std::size_t size = 0; size <= 24; ++size) {
    EXPECT_TRUE(is_clean(std::string(size, 'x'), 100));
    EXPECT_TRUE(is_clean(std::string(size, '\x01'), 100));
    EXPECT_TRUE(is_clean(std::string(size, '\x7F'), 100));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char bad : {'\0', '\x80', '\xFF'}) {
        std::string text(size, 'x');
        text[at] = bad;
        EXPECT_FALSE(is_clean(text, 100)) << size << " " << at;
      }
    }
  }
  EXPECT_FALSE(is_clean("xxx", 2));
}

TEST(Text, CutsBetweenCharacters) {
  EXPECT_EQ(cleaned("aaa\xC3\xBC", 4), "aaa");
  EXPECT_EQ(cleaned("aaa\xC3\xBC", 5), "aaa\xC3\xBC");
  std::string out;
  EXPECT_FALSE(assign_clean(out, "12345", 4));
  EXPECT_EQ(out, "1234");
}

// A text that record() cut within a character, a little beyond the limit.
TEST(Text, DropsAHalfCharacterBeyondTheLimit) {
  for (std::size_t cut = 0; cut < 4; ++cut) {
    const std::string text = std::string(8, 'x') + std::string("\xF0\x9F\x98\x80", cut);
    EXPECT_EQ(cleaned(text, 8), "xxxxxxxx") << cut;
  }
}

TEST(Text, NeverGrowsBeyondTheLimit) {
  const std::string bad(64, '\xFF');
  for (std::size_t limit = 0; limit < 70; ++limit) {
    const std::string out = cleaned(bad, limit);
    EXPECT_LE(out.size(), limit);
    EXPECT_TRUE(is_valid_utf8(out));
  }
}

TEST(CompactObject, TakesWhiteSpaceAwayOutsideStrings) {
  EXPECT_EQ(compact_object(" { \"a b\" :\t[ 1 , \"x \\\" y\" ] }\n"), R"({"a b":[1,"x \" y"]})");
}

TEST(CompactObject, OfAnEmptyOneIsEmpty) {
  EXPECT_EQ(compact_object(" { } "), "");
}

TEST(CompactObject, RefusesWhatIsNoObject) {
  for (const std::string_view bad : {"", "1", "[]", "{", "{}{}", "{},{}", "{\"a\":1,\"a\":2}",
                                     "{\"a\":1e400}", "{\"a\":\"\xFF\"}", "null", "]["}) {
    EXPECT_FALSE(compact_object(bad)) << bad;
  }
}

TEST(CompactObject, RefusesADepthThatNoLineCanHold) {
  const auto nested = [](std::size_t depth) {
    std::string json;
    for (std::size_t i = 0; i < depth; ++i) json += "{\"a\":";
    return json + "1" + std::string(depth, '}');
  };
  EXPECT_TRUE(compact_object(nested(31)));
  EXPECT_FALSE(compact_object(nested(32)));
}

}  // namespace
}  // namespace metricsd
