#include "options.h"

#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

std::variant<BenchOptions, int> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "objectbench");
  std::vector<char*> arguments;
  arguments.reserve(words.size());
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(SizeRange, TakesBytesAndBinaryUnits) {
  EXPECT_EQ(parse_size_range("4096"), (SizeRange{4096, 4096}));
  EXPECT_EQ(parse_size_range("64KiB"), (SizeRange{65536, 65536}));
  EXPECT_EQ(parse_size_range("0-1MiB"), (SizeRange{0, 1048576}));
  EXPECT_EQ(parse_size_range("1GiB-2GiB"), (SizeRange{std::uint64_t{1} << 30, std::uint64_t{2} << 30}));
}

TEST(SizeRange, RefusesWhatIsNoSize) {
  for (const char* text : {"", "-", "KiB", "1KB", "1.5MiB", "-1", "2-1", "1-", "1KiBKiB", " 1",
                           "99999999999999999999", "99999999999GiB"}) {
    EXPECT_FALSE(parse_size_range(text)) << text;
  }
}

TEST(Mix, NamesSharesInAnyOrder) {
  EXPECT_EQ(parse_mix("upload=40,download=50,delete=10"), (Mix{40, 50, 10}));
  EXPECT_EQ(parse_mix("delete=1,upload=2"), (Mix{2, 0, 1}));
}

TEST(Mix, RefusesWhatIsNone) {
  for (const char* text :
       {"", "upload", "upload=", "upload=x", "upload=-1", "list=1", "upload=0,delete=0", "upload=1;"}) {
    EXPECT_FALSE(parse_mix(text)) << text;
  }
}

TEST(ObjectUrl, SplitsOriginAndBasePath) {
  EXPECT_EQ(parse_url("http://127.0.0.1:80"), (ObjectUrl{"http://127.0.0.1:80", "/"}));
  EXPECT_EQ(parse_url("http://host/a/b"), (ObjectUrl{"http://host", "/a/b/"}));
  EXPECT_EQ(parse_url("http://[::1]:9/a/"), (ObjectUrl{"http://[::1]:9", "/a/"}));
  EXPECT_EQ(parse_url("http://[::1]"), (ObjectUrl{"http://[::1]", "/"}));
}

TEST(ObjectUrl, RefusesWhatIsNone) {
  for (const char* text :
       {"", "host", "ftp://host", "https://host", "http://", "http:///path", "http://h:99999/", "http://h:0/",
        "http://:80/", "http://h/?q=1", "http://h/\"", "http://h/\r\nX: y"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Options, AreReadFromTheCommandLine) {
  const auto parsed = parse({"--processes", "4", "--users", "8", "--duration", "0.5", "--size", "1KiB",
                             "--export", "jsonl,csv", "--url", "http://h:1/x"});
  const auto* options = std::get_if<BenchOptions>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->processes, 4U);
  EXPECT_EQ(options->users, 8U);
  EXPECT_EQ(options->duration.count(), 0.5);
  EXPECT_EQ(options->size, (SizeRange{1024, 1024}));
  EXPECT_EQ(options->exports, (std::vector<std::string>{"jsonl", "csv"}));
  EXPECT_EQ(options->url, (ObjectUrl{"http://h:1", "/x/"}));
}

TEST(Options, UsageErrorsEndWithTwo) {
  const std::initializer_list<std::vector<std::string>> wrong{
      {"--nope"},      {"--processes", "0"},  {"--duration", "-1"},      {"--duration", "nan"},
      {"--size", "x"}, {"--mix", "upload=0"}, {"--export", "jsonl,xml"}, {"--url", "h"}};
  for (const auto& words : wrong) {
    const auto parsed = parse(words);
    ASSERT_TRUE(std::holds_alternative<int>(parsed)) << words.front();
    EXPECT_EQ(std::get<int>(parsed), 2) << words.front();
  }
}

TEST(Options, HelpAndVersionEndWithZero) {
  for (const char* flag : {"--help", "--version"}) EXPECT_EQ(std::get<int>(parse({flag})), 0) << flag;
}

}  // namespace
}  // namespace metricsd::tools
