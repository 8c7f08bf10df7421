#include "process_figures.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/unique_fd.h>
#include <metricsd/support/temporary_directory.h>

#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(ProcessFigures, AreThisProcesss) {
  const auto figures = read_process_figures();
  ASSERT_TRUE(figures);
  EXPECT_GE(figures->threads, 1U);
  EXPECT_GE(figures->open_fds, 3U);
  EXPECT_GE(figures->max_fds, figures->open_fds);
  EXPECT_GT(figures->resident_memory_bytes, 0U);
  EXPECT_GE(figures->virtual_memory_bytes, figures->resident_memory_bytes);
  EXPECT_GT(figures->start_time_seconds, 0);
  // The kernel's boot time is cut to whole seconds.
  EXPECT_LE(figures->start_time_seconds, static_cast<double>(system_clock().now().ns) / 1e9 + 2);
}

TEST(ProcessFigures, CountEveryDescriptor) {
  const std::uint64_t before = read_process_figures().value().open_fds;
  std::vector<UniqueFd> open;
  for (int i = 0; i < 100; ++i) open.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_process_figures().value().open_fds, before + 100);
}

TEST(ProcessFigures, AreAbsentWithoutProc) {
  const support::TemporaryDirectory empty;
  EXPECT_FALSE(read_process_figures(empty.path()));
}

}  // namespace
}  // namespace metricsd::server
