#include "batch_queue.h"

#include <metricsd/support/memory_limit.h>
#include <metricsd/support/sanitized.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

class BatchQueueTest : public ::testing::Test {
 protected:
  bool push(std::uint32_t stream, std::uint64_t first, std::uint64_t count, std::string_view line) {
    return queue_.push(
        {.stream = stream, .last_seq = first + count - 1, .first_seq = first, .operations = count}, line);
  }
  void send_all() { queue_.consume(queue_.unsent().size()); }

  BatchQueue queue_{4096};
};

TEST_F(BatchQueueTest, GivesAllThatIsNotWritten) {
  ASSERT_TRUE(push(0, 1, 3, "one\n"));
  ASSERT_TRUE(push(1, 1, 2, "two\n"));
  EXPECT_EQ(queue_.unsent(), "one\ntwo\n");
  queue_.consume(5);
  EXPECT_EQ(queue_.unsent(), "wo\n");
  EXPECT_EQ(queue_.begun_line(), "wo\n");
  EXPECT_FALSE(queue_.at_line_start());
  queue_.consume(3);
  EXPECT_TRUE(queue_.all_sent());
  EXPECT_FALSE(queue_.empty());
}

TEST_F(BatchQueueTest, ForgetsWhatIsDurable) {
  push(0, 1, 3, "one\n");
  push(1, 1, 2, "two\n");
  push(0, 4, 1, "three\n");
  send_all();
  queue_.release({{0, 3, 2}});
  EXPECT_EQ(queue_.first_seq_of(0), 1U);
  queue_.release({{0, 4, 4}});  // the second holds the third
  EXPECT_EQ(queue_.first_seq_of(0), 4U);
  queue_.release({{0, 4, 4}, {1, 2, 2}});
  EXPECT_TRUE(queue_.empty());
}

TEST_F(BatchQueueTest, DoesNotForgetWhatItNeverWrote) {
  push(0, 1, 3, "one\n");
  queue_.consume(2);
  queue_.release({{0, 100, 100}});
  EXPECT_FALSE(queue_.empty());
}

TEST_F(BatchQueueTest, WritesOnANewConnectionWhatWasNotFolded) {
  push(0, 1, 3, "one\n");
  push(0, 4, 3, "two\n");
  push(0, 7, 3, "three\n");
  send_all();
  queue_.begin_connection({{0, 5, 3}});
  EXPECT_EQ(queue_.unsent(), "two\nthree\n");
  EXPECT_EQ(queue_.first_seq_of(0), 4U);
  queue_.begin_connection({});
  EXPECT_EQ(queue_.unsent(), "two\nthree\n");
}

TEST_F(BatchQueueTest, KeepsWhatIsFoldedAndNotDurable) {
  push(0, 1, 3, "one\n");
  push(0, 4, 3, "two\n");
  queue_.begin_connection({{0, 6, 0}});
  EXPECT_TRUE(queue_.all_sent());
  queue_.begin_connection({{0, 0, 0}});  // a daemon that lost it
  EXPECT_EQ(queue_.unsent(), "one\ntwo\n");
}

TEST_F(BatchQueueTest, RefusesTheNewestWhenFull) {
  const std::string line(999, 'x');
  int taken = 0;
  while (push(0, static_cast<std::uint64_t>(taken) + 1, 1, line + "\n")) ++taken;
  EXPECT_EQ(taken, 3);  // with their entries
  EXPECT_EQ(queue_.clear(), 3U);
  EXPECT_TRUE(queue_.empty());
  EXPECT_TRUE(push(0, 1, 1, line));
}

TEST_F(BatchQueueTest, MayBeEmptiedFromTheFront) {
  push(0, 1, 3, "one\n");
  push(0, 4, 3, "two\n");
  EXPECT_EQ(queue_.front_line(), "one\n");
  queue_.pop_front();
  EXPECT_EQ(queue_.front_line(), "two\n");
  EXPECT_EQ(queue_.unsent(), "two\n");
  queue_.pop_front();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.unsent(), "");
}

// Over many times its bound, with acknowledgements that come late.
TEST_F(BatchQueueTest, GivesEveryByteOnceInOrder) {
  std::string given;
  std::string written;
  std::uint64_t next = 1;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    ASSERT_TRUE(push(0, next++, 1, line));
    given += line;
    const std::string_view unsent = queue_.unsent();
    const std::size_t size = unsent.size() * static_cast<std::size_t>(i % 3) / 2;
    written += unsent.substr(0, size);
    queue_.consume(size);
    if (next > 20) queue_.release({{0, next - 20, next - 20}});
  }
  written += queue_.unsent();
  EXPECT_EQ(written, given);
}

// A gigabyte of room that few need must not be asked for.
TEST(BatchQueue, GrowsWithWhatWaits) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers map what they like";
  const support::MemoryLimit limit(std::size_t{64} << 20);
  BatchQueue queue(std::size_t{1} << 30);
  const std::string line(std::size_t{64} << 10, 'x');
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(queue.push({.stream = 0, .last_seq = i, .first_seq = i, .operations = 1}, line));
  }
  EXPECT_EQ(queue.unsent().size(), 100 * line.size());
}

}  // namespace
}  // namespace metricsd::client
