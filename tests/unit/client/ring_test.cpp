#include "ring.h"

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

bool push(Ring& ring, std::string_view text) {
  std::byte* out = ring.reserve(text.size());
  if (out == nullptr) return false;
  std::memcpy(out, text.data(), text.size());
  ring.commit();
  return true;
}

std::string front(Ring& ring) {
  const auto entry = ring.front();
  return {reinterpret_cast<const char*>(entry.data()), entry.size()};
}

TEST(Ring, IsEmptyAtFirst) {
  Ring ring(1024);
  EXPECT_TRUE(ring.front().empty());
  EXPECT_EQ(ring.committed(), 0U);
}

TEST(Ring, RoundsItsCapacityUp) {
  EXPECT_EQ(Ring(1000).capacity(), 1024U);
}

TEST(Ring, ShowsNothingBeforeTheCommit) {
  Ring ring(1024);
  ASSERT_NE(ring.reserve(8), nullptr);
  EXPECT_TRUE(ring.front().empty());
  ring.commit();
  EXPECT_EQ(ring.front().size(), 8U);
}

TEST(Ring, KeepsTheFrontUntilItIsPopped) {
  Ring ring(1024);
  ASSERT_TRUE(push(ring, "one"));
  ASSERT_TRUE(push(ring, "two"));
  EXPECT_EQ(front(ring), "one");
  EXPECT_EQ(front(ring), "one");
  ring.pop();
  EXPECT_EQ(front(ring), "two");
}

TEST(Ring, RefusesTheNewestWhenFullAndTakesItAgainAfterAPop) {
  Ring ring(64);
  int taken = 0;
  while (push(ring, "12345678")) ++taken;
  EXPECT_EQ(taken, 4);  // of 16 bytes each
  EXPECT_EQ(front(ring), "12345678");
  ring.pop();
  EXPECT_TRUE(push(ring, "abcdefgh"));
  EXPECT_FALSE(push(ring, "x"));
}

TEST(Ring, HasAllItsMemoryOncePopulated) {
  constexpr std::size_t kCapacity = std::size_t{4} << 20;  // mapped afresh, with no page of it there
  Ring ring(kCapacity);
  ring.populate();
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(ring.reserve(8)) / page * page;
  std::vector<unsigned char> resident(kCapacity / page);
  ASSERT_EQ(::mincore(reinterpret_cast<void*>(begin), kCapacity, resident.data()), 0);  // NOLINT: an address
  EXPECT_EQ(std::count_if(resident.begin(), resident.end(), [](unsigned char p) { return (p & 1) == 0; }), 0);
}

// Every pair of an entry's size and the place where it begins, the block's end included.
TEST(Ring, IsRightAtEveryWrapForEverySize) {
  for (std::size_t size = 1; size <= 120; ++size) {
    Ring ring(256);
    const std::string text(size, static_cast<char>('a' + size % 26));
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(push(ring, text)) << size << " " << i;
      ASSERT_EQ(front(ring), text);
      ring.pop();
      ASSERT_TRUE(ring.front().empty());
    }
    EXPECT_EQ(ring.popped(), 200U);
  }
}

TEST(Ring, AgreesWithAQueueOverRandomSizes) {
  std::mt19937 random(7);  // NOLINT: the same sequence each time
  Ring ring(1024);
  std::deque<std::string> expected;
  for (int i = 0; i < 100'000; ++i) {
    if (random() % 2 == 0) {
      std::string text(1 + random() % 300, static_cast<char>(random()));
      if (push(ring, text)) expected.push_back(std::move(text));
    } else if (!expected.empty()) {
      ASSERT_EQ(front(ring), expected.front());
      ring.pop();
      expected.pop_front();
    } else {
      ASSERT_TRUE(ring.front().empty());
    }
  }
}

TEST(Ring, HandsEveryEntryFromOneThreadToAnotherInOrder) {
  constexpr std::uint64_t kEntries = 300'000;
  Ring ring(4096);
  std::thread producer([&ring] {
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      const std::size_t size = sizeof i + i % 90;
      std::byte* out = nullptr;
      while ((out = ring.reserve(size)) == nullptr) std::this_thread::yield();
      std::memset(out, static_cast<int>(i & 0xFF), size);
      std::memcpy(out, &i, sizeof i);
      ring.commit();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    std::span<const std::byte> entry;
    while ((entry = ring.front()).empty()) std::this_thread::yield();
    std::uint64_t number = 0;
    std::memcpy(&number, entry.data(), sizeof number);
    const bool right = number == i && entry.size() == sizeof i + i % 90 &&
                       (entry.size() == sizeof i || entry.back() == static_cast<std::byte>(i & 0xFF));
    if (!right) ++wrong;
    ring.pop();
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(ring.committed(), kEntries);
  EXPECT_TRUE(ring.front().empty());
}

}  // namespace
}  // namespace metricsd::client
