#include "handles.h"

#include <metricsd/models/limits.h>

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

class HandlesTest : public ::testing::Test {
 protected:
  const ipc::RecordNames& entry(std::uint32_t handle) {
    handles_.refresh(entries_);
    return *entries_.at(handle);
  }

  Segment segment_{"id"};
  Handles handles_{segment_};
  std::vector<const ipc::RecordNames*> entries_;
};

TEST_F(HandlesTest, AreTheSameForTheSameTexts) {
  const std::uint32_t first = handles_.bind("upload", "s3", "boto");
  EXPECT_EQ(handles_.bind("upload", "s3", "boto"), first);
  EXPECT_NE(handles_.bind("upload", "s3", ""), first);
  EXPECT_NE(handles_.bind("upload", "", "boto"), first);
  EXPECT_EQ(entry(first).operation_type, "upload");
  EXPECT_EQ(entry(first).workload_type, "s3");
  EXPECT_EQ(entry(first).driver, "boto");
}

TEST_F(HandlesTest, OfNoTypeAreInvalidAndSaidSo) {
  EXPECT_EQ(handles_.bind("", "", ""), Handles::kInvalid);
  EXPECT_EQ(handles_.bind("up load", "", ""), Handles::kInvalid);
  EXPECT_EQ(handles_.bind("upload", "s 3", ""), Handles::kInvalid);
  EXPECT_FALSE(entry(Handles::kInvalid).valid);
  EXPECT_THAT(handles_.warnings(), ::testing::ElementsAre(::testing::HasSubstr("3 calls of bind()")));
}

TEST_F(HandlesTest, MakeADriverOneThatAReaderTakes) {
  const std::string too_long(1000, 'x');
  EXPECT_EQ(entry(handles_.bind("upload", "", too_long)).driver.size(), limits::kDriver);
}

TEST_F(HandlesTest, AreBounded) {
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < Handles::kMost + 10; ++i) last = handles_.bind("t" + std::to_string(i), "", "");
  EXPECT_EQ(last, Handles::kInvalid);
  EXPECT_EQ(entry(Handles::kMost - 1).operation_type, "t" + std::to_string(Handles::kMost - 3));
  EXPECT_THAT(handles_.warnings(), ::testing::ElementsAre(::testing::HasSubstr("beyond the 65536 handles")));
}

TEST_F(HandlesTest, AreForAnyThread) {
  std::vector<std::thread> threads;
  std::vector<std::uint32_t> bound(8);
  for (std::uint32_t& mine : bound) {
    threads.emplace_back([this, &mine] {
      for (int i = 0; i < 100; ++i) mine = handles_.bind("t" + std::to_string(i), "", "");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(bound, ::testing::Each(bound[0]));
}

}  // namespace
}  // namespace metricsd::client
