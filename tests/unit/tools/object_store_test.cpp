#include "object_store.h"

#include "object_client.h"

#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

class ObjectStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store_.bind());
    server_ = std::thread([this] { store_.serve(); });
  }
  void TearDown() override {
    store_.stop();
    if (server_.joinable()) server_.join();
  }
  [[nodiscard]] std::size_t files() const {
    const auto begin = std::filesystem::directory_iterator(directory_.path());
    return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
  }
  [[nodiscard]] ObjectUrl url() const { return parse_url(store_.url()).value(); }

  support::TemporaryDirectory directory_;
  ObjectStore store_{directory_.path(), 4};
  std::thread server_;
};

TEST_F(ObjectStoreTest, KeepsWhatIsPut) {
  ObjectClient client(url());
  for (const std::uint64_t size : {0ULL, 1ULL, 65'536ULL, 65'537ULL, 3'000'000ULL}) {
    EXPECT_TRUE(client.put("key", size).success) << size;
    const auto got = client.get("key", size);
    EXPECT_TRUE(got.success) << size << ' ' << got.error_code;
  }
  EXPECT_EQ(files(), 1U);
}

TEST_F(ObjectStoreTest, SaysWhatIsNotThere) {
  ObjectClient client(url());
  EXPECT_EQ(client.get("nothing", 0).error_code, "404");
  EXPECT_EQ(client.remove("nothing").error_code, "404");
  EXPECT_TRUE(client.put("something", 10).success);
  EXPECT_TRUE(client.remove("something").success);
  EXPECT_EQ(client.get("something", 10).error_code, "404");
  EXPECT_EQ(files(), 0U);
}

TEST_F(ObjectStoreTest, NoKeyLeavesTheDirectory) {
  ObjectClient client(url());
  const auto outside = directory_.path().parent_path() / "metricsd-object-store-escape";
  EXPECT_TRUE(client.put("../metricsd-object-store-escape", 10).success);
  EXPECT_TRUE(client.put("%2e%2e%2fmetricsd-object-store-escape", 10).success);
  EXPECT_FALSE(std::filesystem::exists(outside));
  EXPECT_GE(files(), 1U);
}

TEST_F(ObjectStoreTest, RefusesKeysThatAreTooLong) {
  ObjectClient client(url());
  EXPECT_EQ(client.put(std::string(200, 'k'), 1).error_code, "414");
  EXPECT_EQ(client.get(std::string(200, 'k'), 1).error_code, "404");
  EXPECT_EQ(files(), 0U);
}

TEST_F(ObjectStoreTest, AnotherSizeIsAFailure) {
  ObjectClient client(url());
  EXPECT_TRUE(client.put("key", 10).success);
  const auto got = client.get("key", 11);
  EXPECT_FALSE(got.success);
  EXPECT_EQ(got.error_code, "short_body");
}

TEST(ObjectClient, NobodyThereIsAFailureWithItsCode) {
  ObjectClient client({"http://127.0.0.1:1", "/"});  // a reserved port where nobody listens
  const auto result = client.put("key", 10);
  EXPECT_FALSE(result.success);
  EXPECT_FALSE(result.connected);
  EXPECT_EQ(result.error_code, "connection_failed");
}

}  // namespace
}  // namespace metricsd::tools
