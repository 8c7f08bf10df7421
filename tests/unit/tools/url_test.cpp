#include "url.h"

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

TEST(Url, IsTakenApart) {
  EXPECT_EQ(split_url("http://host"), (Url{"http", "host", 0, ""}));
  EXPECT_EQ(split_url("mqtts://broker.example:8883"), (Url{"mqtts", "broker.example", 8883, ""}));
  EXPECT_EQ(split_url("https://h:1/a/b%20c"), (Url{"https", "h", 1, "/a/b%20c"}));
  EXPECT_EQ(split_url("http://[::1]:9091/"), (Url{"http", "::1", 9091, "/"}));
  EXPECT_EQ(split_url("http://[::1]"), (Url{"http", "::1", 0, ""}));
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "host",
                           "host:9091",
                           "://host",
                           "http://",
                           "http:///path",
                           "http://:80",
                           "http://h:",
                           "http://h:0",
                           "http://h:65536",
                           "http://h:80x",
                           "http://h:-1",
                           "http://[::1",
                           "http://[]",
                           "http://[::1]x",
                           "http://user@h",
                           "http://h?q",
                           "http://h#f",
                           "http://h/a b",
                           "http://h/\n",
                           "http://h/\"",
                           "http://h/\\"}) {
    EXPECT_FALSE(split_url(text)) << text;
  }
}

TEST(Url, IsSaidWithoutItsUser) {
  EXPECT_EQ(without_user("http://host:1/path"), "http://host:1/path");
  EXPECT_EQ(without_user("http://user@host"), "http://host");
  EXPECT_EQ(without_user("http://user:pass/w@rd@host:1/path"), "http://host:1/path");
  EXPECT_EQ(without_user("user:se://cret@host"), "host");
  EXPECT_EQ(without_user("http:/user:secret@host"), "host");
}

TEST(Url, HasAnOrigin) {
  for (const char* text : {"http://host", "https://host:8443", "http://[::1]:9091"}) {
    EXPECT_EQ(origin_of(*split_url(std::string(text) + "/path")), text);
  }
}

}  // namespace
}  // namespace metricsd::tools
