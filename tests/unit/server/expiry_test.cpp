#include "expiry.h"

#include <metricsd/models/catalog.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

constexpr std::chrono::seconds kLong{60};
constexpr std::int64_t kBefore = 20;

// Two shards that have counted for the same series.
class ExpiryTest : public ::testing::Test {
 protected:
  struct Shard {
    explicit Shard(const std::shared_ptr<Catalog>& catalog) : registry(catalog) {}
    Registry registry;
    Family<Counter>* requests = registry.define<Counter>(spec()).value();

    void count(const std::string& path, std::int64_t now_ns) {
      requests->at(LabelValues{path}, {{0}, now_ns}).apply(std::uint64_t{1});
    }
    bool has(const std::string& path) {
      const std::vector<std::string_view> values{path};
      return requests->find(values) != nullptr;
    }
    // As a shard does: what it says to the list, and then forgets.
    bool settle(Expiry& expiry) {
      const bool agreed = expiry.agree(registry);
      if (agreed) registry.forget(expiry.idle(), expiry.before_ns());
      return agreed;
    }
  };

  static FamilySpec spec() {
    FamilySpec spec;
    spec.base_name = "requests";
    spec.help = "Test.";
    spec.label_names = {"path"};
    return spec;
  }

  ExpiryTest() {
    for (Shard* shard : {&a_, &b_}) {
      shard->count("/idle", 10);
      shard->count("/revived", 10);
    }
  }

  SeriesKeys idle() {
    RegistryImage all = a_.registry.image();
    all.merge(b_.registry.image());
    return all.take_idle(kBefore);
  }

  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>(10);
  Shard a_{catalog_}, b_{catalog_};
};

TEST_F(ExpiryTest, ASeriesGoesFromAllShardsOrFromNone) {
  Expiry expiry(idle(), kBefore, 2, kLong);
  a_.count("/revived", 30);  // before it came, and after the list was made
  std::thread first([&] { EXPECT_TRUE(b_.settle(expiry)); });
  EXPECT_TRUE(a_.settle(expiry));
  first.join();
  for (Shard* shard : {&a_, &b_}) {
    EXPECT_FALSE(shard->has("/idle"));
    EXPECT_TRUE(shard->has("/revived"));
  }
  EXPECT_EQ(catalog_->series_count(), 1U);
}

TEST_F(ExpiryTest, ASeriesThatOnlyOneShardRevivedAnewStays) {
  Shard c(catalog_);  // had nothing of it when the list was made
  Expiry expiry(idle(), kBefore, 3, kLong);
  c.count("/revived", 30);
  std::thread first([&] { EXPECT_TRUE(a_.settle(expiry)); });
  std::thread second([&] { EXPECT_TRUE(b_.settle(expiry)); });
  EXPECT_TRUE(c.settle(expiry));
  first.join();
  second.join();
  for (Shard* shard : {&a_, &b_, &c}) EXPECT_TRUE(shard->has("/revived"));
}

TEST_F(ExpiryTest, NobodyForgetsUnlessAllCome) {
  Expiry expiry(idle(), kBefore, 2, std::chrono::milliseconds(1));
  EXPECT_FALSE(a_.settle(expiry));
  EXPECT_FALSE(b_.settle(expiry));  // too late
  for (Shard* shard : {&a_, &b_}) EXPECT_TRUE(shard->has("/idle"));
}

// Counters that come and go on two threads, each between two lists: what both counted is never halved.
TEST_F(ExpiryTest, WhoeverCountsMeanwhileTheShardsHoldTheSame) {
  for (int round = 0; round < 200; ++round) {
    Expiry expiry(idle(), kBefore, 2, kLong);
    std::thread other([&] {
      if (round % 3 == 0) b_.count("/idle", 30);
      (void)b_.settle(expiry);
    });
    if (round % 5 == 0) a_.count("/idle", 30);
    (void)a_.settle(expiry);
    other.join();
    ASSERT_EQ(a_.has("/idle"), b_.has("/idle")) << round;
    ASSERT_EQ(a_.has("/idle"), round % 3 == 0 || round % 5 == 0) << round;
    for (Shard* shard : {&a_, &b_}) {
      shard->registry.forget(shard->registry.image().take_idle(40), 40);
      shard->count("/idle", 10);
    }
  }
}

}  // namespace
}  // namespace metricsd::server
