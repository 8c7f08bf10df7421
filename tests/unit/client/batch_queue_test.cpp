#include "batch_queue.h"

#include <metricsd/models/limits.h>
#include <metricsd/support/memory_limit.h>
#include <metricsd/support/sanitized.h>

#include <cstring>
#include <deque>
#include <map>
#include <new>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

class BatchQueueTest : public ::testing::Test {
 protected:
  bool push(std::uint32_t stream, std::uint64_t first, std::uint64_t count, std::string_view line) {
    return queue_.push(
        {.stream = stream, .first_seq = first, .last_seq = first + count - 1, .operations = count}, line);
  }
  void send_all() { queue_.consume(queue_.unsent_bytes()); }
  [[nodiscard]] std::string unsent() const { return unsent_of(queue_); }
  static std::string unsent_of(const BatchQueue& queue) {
    std::vector<iovec> parts(100'000);
    std::string text;
    for (const iovec& part : queue.unsent(parts))
      text.append(static_cast<char*>(part.iov_base), part.iov_len);
    EXPECT_EQ(text.size(), queue.unsent_bytes());
    return text;
  }
  [[nodiscard]] std::uint64_t first_seq_of(std::uint32_t stream) const {
    std::vector<std::uint64_t> firsts(8, 0);
    queue_.first_seqs(firsts);
    return firsts[stream];
  }
  // As one who was not there finds it: the lines, in the order that the blocks and entries say.
  [[nodiscard]] std::string in_segment() {
    std::map<std::uint64_t, std::string> blocks;
    std::uint64_t at = Segment::page_bytes();
    while (at < segment_.header().end.load()) {
      const std::string block = read(at, read_as<ipc::BlockHeader>(at).bytes);
      at += block.size();
      ipc::QueueBlock header{};
      std::memcpy(static_cast<void*>(&header), block.data(), sizeof header);
      if (header.block.kind != ipc::BlockKind::queue || header.order == 0) continue;
      std::string& lines = blocks[header.order];
      for (std::uint64_t entry_at = header.begin; entry_at < header.end;) {
        ipc::QueueEntry entry{};
        std::memcpy(&entry, block.data() + entry_at, sizeof entry);
        lines += block.substr(entry_at + sizeof entry, entry.line_bytes);
        entry_at += entry.size;
      }
    }
    std::string all;
    for (const auto& [order, lines] : blocks) all += lines;
    return all;
  }
  [[nodiscard]] std::size_t blocks() {
    std::size_t count = 0;
    for (std::uint64_t at = Segment::page_bytes(); at < segment_.header().end.load(); ++count) {
      at += read_as<ipc::BlockHeader>(at).bytes;
    }
    return count;
  }
  std::string read(std::uint64_t at, std::size_t bytes) {
    std::string out(bytes, '\0');
    EXPECT_EQ(::pread(segment_.descriptor(), out.data(), bytes, static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes));
    return out;
  }
  template <class T>
  T read_as(std::uint64_t at) {
    T value;
    std::memcpy(static_cast<void*>(&value), read(at, sizeof value).data(), sizeof value);
    return value;
  }

  Segment segment_{"0123456789abcdef0123456789abcdef"};
  BatchQueue queue_{segment_, 4096};
};

TEST_F(BatchQueueTest, GivesAllThatIsNotWritten) {
  ASSERT_TRUE(push(0, 1, 3, "one\n"));
  ASSERT_TRUE(push(1, 1, 2, "two\n"));
  EXPECT_EQ(unsent(), "one\ntwo\n");
  queue_.consume(5);
  EXPECT_EQ(unsent(), "wo\n");
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
  EXPECT_EQ(first_seq_of(0), 1U);
  queue_.release({{0, 4, 4}});  // the second holds the third
  EXPECT_EQ(first_seq_of(0), 4U);
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
  EXPECT_EQ(unsent(), "two\nthree\n");
  EXPECT_EQ(first_seq_of(0), 4U);
  queue_.begin_connection({});
  EXPECT_EQ(unsent(), "two\nthree\n");
}

TEST_F(BatchQueueTest, KeepsWhatIsFoldedAndNotDurable) {
  push(0, 1, 3, "one\n");
  push(0, 4, 3, "two\n");
  queue_.begin_connection({{0, 6, 0}});
  EXPECT_TRUE(queue_.all_sent());
  queue_.begin_connection({{0, 0, 0}});  // a daemon that lost it
  EXPECT_EQ(unsent(), "one\ntwo\n");
}

TEST_F(BatchQueueTest, RefusesTheNewestWhenFull) {
  const std::string line(999, 'x');
  int taken = 0;
  while (push(0, static_cast<std::uint64_t>(taken) + 1, 1, line + "\n")) ++taken;
  EXPECT_EQ(taken, 3);  // with their entries
  EXPECT_EQ(queue_.clear().operations, 3U);
  EXPECT_TRUE(queue_.empty());
  EXPECT_TRUE(push(0, 1, 1, line));
}

TEST_F(BatchQueueTest, MayBeEmptiedFromTheFront) {
  push(0, 1, 3, "one\n");
  push(0, 4, 3, "two\n");
  EXPECT_EQ(queue_.front_line(), "one\n");
  queue_.pop_front();
  EXPECT_EQ(queue_.front_line(), "two\n");
  EXPECT_EQ(unsent(), "two\n");
  queue_.pop_front();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(unsent(), "");
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
    const std::string rest = unsent();
    const std::size_t size = rest.size() * static_cast<std::size_t>(i % 3) / 2;
    written += rest.substr(0, size);
    queue_.consume(size);
    if (next > 20) queue_.release({{0, next - 20, next - 20}});
  }
  written += unsent();
  EXPECT_EQ(written, given);
}

// Whatever is pushed, written and acknowledged: the segment says what the queue holds.
TEST_F(BatchQueueTest, LiesInTheSegmentInItsOrder) {
  BatchQueue queue(segment_, std::size_t{512} << 10);
  std::mt19937 random(17);
  std::deque<std::string> held;
  std::uint64_t last = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string line = std::to_string(i) + std::string(random() % 20'000, 'x') + "\n";
    if (queue.push({.stream = 0, .first_seq = last + 1, .last_seq = last + 1, .operations = 1}, line)) {
      ++last;
      held.push_back(line);
    } else {
      ++refused;
    }
    if (random() % 8 == 0) {
      queue.consume(queue.unsent_bytes());
      const std::size_t gone = random() % (held.size() + 1);
      const std::uint64_t durable = last - held.size() + gone;
      queue.release({{0, durable, durable}});
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    if (i % 100 != 0) continue;
    std::string expected;
    for (const std::string& each : held) expected += each;
    ASSERT_EQ(in_segment(), expected) << i;
  }
  EXPECT_GT(refused, 0U);
  EXPECT_LE(blocks(), 9U);  // of 64 KiB: used again and again
}

TEST_F(BatchQueueTest, TakesNoLineThatNoBlockTakes) {
  BatchQueue queue(segment_, std::size_t{1} << 20);
  EXPECT_FALSE(queue.has_room(queue.longest_line() + 1));
  const std::string longest(queue.longest_line(), 'x');
  for (std::uint64_t i = 1; i <= 7; ++i) {
    ASSERT_TRUE(queue.push({.stream = 0, .first_seq = i, .last_seq = i, .operations = 1}, longest)) << i;
  }
  EXPECT_EQ(queue.sum().operations, 7U);
}

// A store that has forgotten the client: what it never was sent goes on.
TEST_F(BatchQueueTest, ForgetsWhatAStoreMayHaveHad) {
  push(0, 1, 3, "one\n");
  push(limits::kMetricsStream, 1, 5, "two\n");
  push(0, 4, 1, "three\n");
  queue_.consume(9);  // the third was begun
  queue_.begin_connection({});
  const BatchQueue::Sum gone = queue_.forget_sent();
  EXPECT_EQ(gone.operations, 3U + 5U);
  EXPECT_EQ(gone.samples, 5U);
  EXPECT_EQ(unsent(), "three\n");
  send_all();
  queue_.begin_store();  // another one
  EXPECT_EQ(queue_.forget_sent().operations, 0U);
  EXPECT_EQ(in_segment(), "three\n");
}

TEST_F(BatchQueueTest, AwaitsMuchOnceHalfIsWrittenAndKept) {
  const std::string line(999, 'x');
  push(0, 1, 1, line);
  push(0, 2, 1, line);
  EXPECT_FALSE(queue_.awaits_much());
  send_all();
  EXPECT_TRUE(queue_.awaits_much());
  queue_.release({{0, 1, 1}});
  EXPECT_FALSE(queue_.awaits_much());
}

// A gigabyte of room that few need must not be asked for.
TEST_F(BatchQueueTest, GrowsWithWhatWaits) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers map what they like";
  const support::MemoryLimit limit(std::size_t{64} << 20);
  BatchQueue queue(segment_, std::size_t{1} << 30);
  const std::string line(std::size_t{64} << 10, 'x');
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(queue.push({.stream = 0, .first_seq = i, .last_seq = i, .operations = 1}, line));
  }
  EXPECT_EQ(unsent_of(queue).size(), 100 * line.size());
}

TEST_F(BatchQueueTest, WithoutMemoryTakesNothing) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers end a process that has no memory";
  BatchQueue queue(segment_, std::size_t{1} << 30);
  const std::string line(std::size_t{64} << 10, 'x');
  std::uint64_t taken = 0;
  {
    const support::MemoryLimit limit(std::size_t{8} << 20);
    EXPECT_THROW(
        {
          while (
              queue.push({.stream = 0, .first_seq = taken + 1, .last_seq = taken + 1, .operations = 1}, line))
            ++taken;
        },
        std::bad_alloc);
  }
  EXPECT_GT(taken, 0U);
  EXPECT_EQ(queue.sum().operations, taken);
  EXPECT_TRUE(
      queue.push({.stream = 0, .first_seq = taken + 1, .last_seq = taken + 1, .operations = 1}, line));
  EXPECT_EQ(unsent_of(queue).size(), (taken + 1) * line.size());
}

}  // namespace
}  // namespace metricsd::client
