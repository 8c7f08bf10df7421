#include "listen_address.h"

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(ListenAddress, ReadsHostsNumbersAndEveryAddress) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8090").value(), (ListenAddress{"127.0.0.1", 8090}));
  EXPECT_EQ(parse_listen_address("localhost:0").value(), (ListenAddress{"localhost", 0}));
  EXPECT_EQ(parse_listen_address("[::1]:65535").value(), (ListenAddress{"::1", 65535}));
  EXPECT_EQ(parse_listen_address(":9100").value(), (ListenAddress{"0.0.0.0", 9100}));
}

TEST(ListenAddress, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", "8090", "host", "host:", "host:http", "host:65536", "host:-1", "::1:80", "[]:80", "a:1 "}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(ListenAddress, IsWrittenAsAUrlHasIt) {
  EXPECT_EQ(to_string(ListenAddress{"127.0.0.1", 80}), "127.0.0.1:80");
  EXPECT_EQ(to_string(ListenAddress{"::1", 80}), "[::1]:80");
}

}  // namespace
}  // namespace metricsd::server
