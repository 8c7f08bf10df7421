#include "ring.h"

#include "support/rings.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::size_t kPage = 4096;

// An entry: its size in the first word, then as many bytes of a letter.
bool push(Ring& ring, std::size_t size, char letter) {
  std::byte* out = ring.reserve(size);
  if (out == nullptr) return false;
  std::memset(out, letter, size);
  std::memcpy(out, &size, sizeof size);
  ring.commit(out, size);
  return true;
}

std::size_t front_size(const Ring& ring) {
  std::size_t size = 0;
  if (const auto all = ring.readable(); !all.empty()) std::memcpy(&size, all.data(), sizeof size);
  return size;
}

std::string front(const Ring& ring) {
  const auto all = ring.readable();
  return {reinterpret_cast<const char*>(all.data()), front_size(ring)};
}

std::string entry(std::size_t size, char letter) {
  std::string text(size, letter);
  std::memcpy(text.data(), &size, sizeof size);
  return text;
}

void pop(Ring& ring) {
  testing::take_and_release(ring, front_size(ring), 1, 1);
}

class RingTest : public ::testing::Test {
 protected:
  Segment segment_{"0123456789abcdef0123456789abcdef"};
};

TEST_F(RingTest, IsEmptyAtFirst) {
  const Ring ring(segment_, 0, kPage);
  EXPECT_TRUE(ring.readable().empty());
  EXPECT_EQ(ring.committed(), 0U);
}

TEST_F(RingTest, RoundsItsCapacityUp) {
  EXPECT_EQ(Ring(segment_, 0, 1).capacity(), Segment::page_bytes());
  EXPECT_EQ(Ring(segment_, 1, 70'000).capacity(), 131'072U);
}

TEST_F(RingTest, ShowsNothingBeforeTheCommit) {
  Ring ring(segment_, 0, kPage);
  std::byte* out = ring.reserve(8);
  ASSERT_NE(out, nullptr);
  EXPECT_TRUE(ring.readable().empty());
  ring.commit(out, 8);
  EXPECT_EQ(ring.readable().size(), 8U);
}

TEST_F(RingTest, KeepsWhatIsNotReleased) {
  Ring ring(segment_, 0, kPage);
  ASSERT_TRUE(push(ring, 16, 'a'));
  ASSERT_TRUE(push(ring, 24, 'b'));
  EXPECT_EQ(ring.readable().size(), 40U);
  EXPECT_EQ(front(ring), entry(16, 'a'));
  pop(ring);
  EXPECT_EQ(front(ring), entry(24, 'b'));
}

TEST_F(RingTest, RefusesTheNewestWhenFullAndTakesItAgainAfterARelease) {
  Ring ring(segment_, 0, kPage);
  const std::size_t size = ring.capacity() / 4;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(push(ring, size, 'a'));
  EXPECT_FALSE(push(ring, 8, 'x'));
  EXPECT_EQ(front(ring), entry(size, 'a'));
  pop(ring);
  EXPECT_TRUE(push(ring, size, 'b'));
  EXPECT_FALSE(push(ring, 8, 'x'));
}

TEST_F(RingTest, HasAllItsMemoryOncePopulated) {
  Ring ring(segment_, 0, std::size_t{4} << 20);
  ring.populate();
  const std::size_t bytes = 2 * ring.capacity();
  std::vector<unsigned char> resident(bytes / Segment::page_bytes());
  ASSERT_EQ(::mincore(ring.reserve(8), bytes, resident.data()), 0);
  EXPECT_EQ(std::count_if(resident.begin(), resident.end(), [](unsigned char p) { return (p & 1) == 0; }), 0);
}

// Every pair of an entry's size and the place where it begins, the block's end included.
TEST_F(RingTest, IsRightAtEveryWrapForEverySize) {
  for (std::size_t size = 8; size <= 248; size += 8) {
    Ring ring(segment_, 0, kPage);
    const char letter = static_cast<char>('a' + size % 26);
    const std::size_t enough = 3 * ring.capacity() / size;
    for (std::size_t i = 0; i < enough; ++i) {
      ASSERT_TRUE(push(ring, size, letter)) << size << " " << i;
      ASSERT_EQ(front(ring), entry(size, letter));
      pop(ring);
      ASSERT_TRUE(ring.readable().empty());
    }
    EXPECT_EQ(ring.taken(), enough);
  }
}

TEST_F(RingTest, AgreesWithAQueueOverRandomSizes) {
  std::mt19937 random(7);  // NOLINT: the same sequence each time
  Ring ring(segment_, 0, kPage);
  std::deque<std::string> expected;
  for (int i = 0; i < 100'000; ++i) {
    if (random() % 2 == 0) {
      const std::size_t size = 8 + random() % 120 * 8;
      const char letter = static_cast<char>('a' + random() % 26);
      if (push(ring, size, letter)) expected.push_back(entry(size, letter));
    } else if (!expected.empty()) {
      ASSERT_EQ(front(ring), expected.front());
      pop(ring);
      expected.pop_front();
    } else {
      ASSERT_TRUE(ring.readable().empty());
    }
  }
}

TEST_F(RingTest, HandsEveryEntryFromOneThreadToAnotherInOrder) {
  constexpr std::uint64_t kEntries = 300'000;
  Ring ring(segment_, 0, kPage);
  const auto size_of = [](std::uint64_t i) { return 16 + i % 12 * 8; };
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      const std::size_t size = size_of(i);
      std::byte* out = nullptr;
      while ((out = ring.reserve(size)) == nullptr) std::this_thread::yield();
      std::memset(out, static_cast<int>(i & 0xFF), size);
      std::memcpy(out, &i, sizeof i);
      ring.commit(out, size);
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    std::span<const std::byte> all;
    while ((all = ring.readable()).empty()) std::this_thread::yield();
    std::uint64_t number = 0;
    std::memcpy(&number, all.data(), sizeof number);
    const std::size_t size = size_of(i);
    const bool right = number == i && all.size() >= size && all[size - 1] == static_cast<std::byte>(i & 0xFF);
    if (!right) ++wrong;
    testing::take_and_release(ring, std::min(size, all.size()), 1, 1);
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(ring.committed(), kEntries);
  EXPECT_TRUE(ring.readable().empty());
}

}  // namespace
}  // namespace metricsd::client
