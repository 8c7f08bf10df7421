#include "destinations/gateway_path.h"

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

TEST(GatewayPath, NamesTheJob) {
  EXPECT_EQ(gateway_path("", "build_1763650000"), "/metrics/job/build_1763650000");
  EXPECT_EQ(gateway_path("/", "a"), "/metrics/job/a");
  EXPECT_EQ(gateway_path("/push/", "a"), "/push/metrics/job/a");
}

TEST(GatewayPath, EscapesWhatAPathMayNotHold) {
  EXPECT_EQ(gateway_path("", "a b?c#d%e+f"), "/metrics/job/a%20b%3Fc%23d%25e%2Bf");
  EXPECT_EQ(gateway_path("", "\u00e9\u4e2d"), "/metrics/job/%C3%A9%E4%B8%AD");
  EXPECT_EQ(gateway_path("", "-_.~"), "/metrics/job/-_.~");
}

// As `printf %s NAME | basenc --base64url` has it, without padding.
TEST(GatewayPath, ASlashMakesItBase64) {
  EXPECT_EQ(gateway_path("", "a/b"), "/metrics/job@base64/YS9i");
  EXPECT_EQ(gateway_path("", "/"), "/metrics/job@base64/Lw");
  EXPECT_EQ(gateway_path("", "?\?/>>"), "/metrics/job@base64/Pz8vPj4");
  EXPECT_EQ(gateway_path("", "/\xFB\xFF\xFE"), "/metrics/job@base64/L_v__g");
}

// Servers take these for directories.
TEST(GatewayPath, SoDoDotsAlone) {
  EXPECT_EQ(gateway_path("", "."), "/metrics/job@base64/Lg");
  EXPECT_EQ(gateway_path("", ".."), "/metrics/job@base64/Li4");
}

}  // namespace
}  // namespace metricsd::tools
