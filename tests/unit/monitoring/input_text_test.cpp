#include "input_text.h"

#include <metricsd/support/temporary_directory.h>

#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace metricsd::tools {
namespace {

constexpr std::size_t kMost = 100'000;

TEST(InputText, OfAFile) {
  const support::TemporaryDirectory directory;
  const auto path = directory.path() / "file";
  std::ofstream(path) << std::string(kMost, 'x');
  std::error_code error;
  EXPECT_EQ(read_input(path, kMost, error), std::string(kMost, 'x'));
  EXPECT_FALSE(read_input(path, kMost - 1, error));
  EXPECT_EQ(error, std::errc::file_too_large);
  EXPECT_FALSE(read_input(directory.path() / "none", kMost, error));
  EXPECT_EQ(error, std::errc::no_such_file_or_directory);
  EXPECT_FALSE(read_input(directory.path(), kMost, error));
  EXPECT_EQ(error, std::errc::is_a_directory);
}

TEST(InputText, OfAPipeThatIsWrittenSlowly) {
  const support::TemporaryDirectory directory;
  const auto path = directory.path() / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::error_code error;
  EXPECT_EQ(read_input(path, kMost, error), "");  // nobody writes

  std::fstream both(path);  // so that the reader finds a writer
  std::jthread writer([&both] {
    for (const char* part : {"one ", "two"}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      both << part << std::flush;
    }
    both.close();
  });
  EXPECT_EQ(read_input(path, kMost, error), "one two");
}

}  // namespace
}  // namespace metricsd::tools
