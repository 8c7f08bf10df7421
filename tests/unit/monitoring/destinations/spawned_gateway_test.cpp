#include "destinations/spawned_gateway.h"

#include <metricsd/support/temporary_directory.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace metricsd::tools {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// With a program of the gateway's name in front of PATH.
class SpawnedGatewayTest : public testing::Test {
 protected:
  SpawnedGatewayTest() { ::setenv("PATH", (directory_.path().string() + ":" + path_before_).c_str(), 1); }
  ~SpawnedGatewayTest() override { ::setenv("PATH", path_before_.c_str(), 1); }

  void install(const std::string& script) const {
    const auto path = directory_.path() / "prometheus-pushgateway";
    std::ofstream(path) << "#!/bin/sh\n" << script << '\n';
    ::chmod(path.c_str(), 0755);
  }

  const std::string path_before_ = std::getenv("PATH");
  const support::TemporaryDirectory directory_;
};

TEST_F(SpawnedGatewayTest, OneThatEndsAtOnceIsNotWaitedFor) {
  install("exit 1");
  std::string why;
  EXPECT_FALSE(SpawnedGateway::start(why));
  EXPECT_THAT(why, HasSubstr("prometheus-pushgateway on 127.0.0.1:"));
  EXPECT_THAT(why, EndsWith(" ended at once"));
}

}  // namespace
}  // namespace metricsd::tools
