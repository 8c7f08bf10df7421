#include "left_segment.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/support/segment_image.h>
#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

namespace fs = std::filesystem;
using support::SegmentImage;

constexpr uid_t kAnother = 12'345;

class LeftSegmentTest : public ::testing::Test {
 protected:
  LeftSegmentTest() : run_(directory_.path() / "run"), segment_(directory_.path() / SegmentImage::kClient) {
    fs::create_directory(run_);
    std::ofstream(file()) << "before\n";
    SegmentImage image;
    image.add_run({"", run_.string(), "", "", "abc"});
    SegmentImage::RingOptions ring;
    ring.records.push_back(SegmentImage::record("upload"));
    image.add_ring(ring);
    image.add_append(ipc::AppendState::gathering, 0, "");
    image.write(segment_);
  }
  [[nodiscard]] fs::path file() const { return run_ / "operations.jsonl"; }
  [[nodiscard]] std::string content() const {
    std::ifstream in(file());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  support::TemporaryDirectory directory_;
  const fs::path run_;
  const fs::path segment_;
};

TEST_F(LeftSegmentTest, GivesTheFileOfTheRunItsLines) {
  auto segment = LeftSegment::open(segment_);
  ASSERT_TRUE(segment);
  EXPECT_TRUE(segment->is_own());
  EXPECT_TRUE(segment->is_of(run_));
  EXPECT_EQ(segment->complete_file().value(), 1U);
  EXPECT_NE(content(), "before\n");
  EXPECT_FALSE(segment->remove_if_delivered());  // no daemon has had its part
  ASSERT_TRUE(ipc::mark_adopted(segment->file(), ipc::Adopted::wholly));
  EXPECT_TRUE(segment->remove_if_delivered());
  EXPECT_FALSE(fs::exists(segment_));
}

// Root can open every user's segment, and what one says of a file is only that user's word.
TEST_F(LeftSegmentTest, WritesToNoFileForAnother) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can open a segment of another";
  ASSERT_EQ(::chown(segment_.c_str(), kAnother, kAnother), 0);
  auto segment = LeftSegment::open(segment_);
  ASSERT_TRUE(segment);
  EXPECT_FALSE(segment->is_own());
  EXPECT_EQ(segment->complete_file().error(), Errc::endpoint_untrusted);
  EXPECT_EQ(content(), "before\n");
}

}  // namespace
}  // namespace metricsd::tools
