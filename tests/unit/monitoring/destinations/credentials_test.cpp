#include "destinations/credentials.h"

#include <metricsd/support/temporary_directory.h>

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace metricsd::tools {
namespace {

using testing::HasSubstr;

class CredentialsTest : public testing::Test {
 protected:
  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path()) << text;
    ::chmod(path().c_str(), mode);
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "credentials"; }
  [[nodiscard]] std::optional<Credentials> read() { return read_credentials(path(), why_); }

  support::TemporaryDirectory directory_;
  std::string why_;
};

TEST_F(CredentialsTest, AreTwoLines) {
  write("user\npass word:#\n");
  const auto credentials = read();
  ASSERT_TRUE(credentials) << why_;
  EXPECT_EQ(credentials->user, "user");
  EXPECT_EQ(credentials->password, "pass word:#");
}

TEST_F(CredentialsTest, NeedNoPasswordAndNoLastNewline) {
  write("user");
  EXPECT_EQ(read()->password, "");
  write("user\r\nsecret");
  EXPECT_EQ(read()->user, "user");
  EXPECT_EQ(read()->password, "secret");
}

TEST_F(CredentialsTest, AreForNobodyElse) {
  for (const mode_t mode : {0640U, 0604U, 0644U, 0620U}) {
    write("user\nsecret\n", mode);
    EXPECT_FALSE(read());
    EXPECT_THAT(why_, HasSubstr("can be read by others"));
    EXPECT_THAT(why_, HasSubstr(path().string()));
  }
}

TEST_F(CredentialsTest, HaveAUserAndNothingElse) {
  for (const char* text : {"", "\nsecret\n", "user\nsecret\nmore\n", "\xFF\nsecret\n"}) {
    write(text);
    EXPECT_FALSE(read()) << text;
  }
}

TEST_F(CredentialsTest, AreAFile) {
  EXPECT_FALSE(read());
  EXPECT_THAT(why_, HasSubstr("No such file"));
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_FALSE(read());
  EXPECT_THAT(why_, HasSubstr("no regular file"));
}

}  // namespace
}  // namespace metricsd::tools
