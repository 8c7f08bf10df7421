#include "thread_rings.h"

#include "support/rings.h"

#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

namespace metricsd::client {
namespace {

bool push(Ring& ring, std::uint64_t number) {
  std::byte* out = ring.reserve(sizeof number);
  if (out == nullptr) return false;
  std::memcpy(out, &number, sizeof number);
  ring.commit(out, sizeof number);
  return true;
}

std::vector<ThreadRings::SlotPtr> slots_of(const ThreadRings& rings) {
  std::vector<ThreadRings::SlotPtr> slots;
  rings.refresh(slots);
  return slots;
}

class ThreadRingsTest : public ::testing::Test {
 protected:
  Segment segment_{"0123456789abcdef0123456789abcdef"};
};

TEST_F(ThreadRingsTest, GiveAThreadTheSameRingEachTime) {
  ThreadRings rings(segment_, ThreadRings::kSmallRing);
  Ring* ring = rings.of_this_thread();
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(rings.of_this_thread(), ring);
  EXPECT_EQ(slots_of(rings).size(), 1U);
}

TEST_F(ThreadRingsTest, OfSeveralCollectorsAreApart) {
  ThreadRings one(segment_, ThreadRings::kSmallRing);
  ThreadRings two(segment_, ThreadRings::kSmallRing);
  Ring* of_one = one.of_this_thread();
  Ring* of_two = two.of_this_thread();
  EXPECT_NE(of_one, of_two);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(one.of_this_thread(), of_one);
    ASSERT_EQ(two.of_this_thread(), of_two);
  }
}

TEST_F(ThreadRingsTest, OfACollectorThatIsGoneAreNeverFoundAgain) {
  for (int i = 0; i < 1000; ++i) {
    auto rings =
        std::make_unique<ThreadRings>(segment_, ThreadRings::kSmallRing);  // likely at the same address
    ASSERT_EQ(rings->committed(), 0U);
    ASSERT_TRUE(push(*rings->of_this_thread(), 1));
    ASSERT_EQ(rings->committed(), 1U);
  }
}

TEST_F(ThreadRingsTest, GoToTheNextThreadWithWhatIsInThem) {
  ThreadRings rings(segment_, ThreadRings::kSmallRing);
  constexpr std::uint64_t kThreads = 1000;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    std::thread([&] { ASSERT_TRUE(push(*rings.of_this_thread(), i)); }).join();
  }
  const auto slots = slots_of(rings);
  ASSERT_EQ(slots.size(), 1U);
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    std::uint64_t number = 0;
    std::memcpy(&number, slots[0]->ring.readable().data(), sizeof number);
    ASSERT_EQ(number, i);
    testing::take_and_release(slots[0]->ring, sizeof number, 1, 1);
  }
  EXPECT_EQ(rings.committed(), kThreads);
}

TEST_F(ThreadRingsTest, HaveOneWriterEachWhateverThreadsComeAndGo) {
  ThreadRings rings(segment_, ThreadRings::kSmallRing);
  constexpr int kAtOnce = 10;
  for (int wave = 0; wave < 100; ++wave) {
    std::vector<std::thread> threads;
    threads.reserve(kAtOnce);
    for (int i = 0; i < kAtOnce; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t n = 0; n < 20; ++n) ASSERT_TRUE(push(*rings.of_this_thread(), n));
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& slot : slots_of(rings)) {
      const std::size_t bytes = slot->ring.readable().size();
      testing::take_and_release(slot->ring, bytes, bytes / sizeof(std::uint64_t), 0);
    }
  }
  EXPECT_EQ(rings.committed(), 100U * kAtOnce * 20U);
  EXPECT_LE(slots_of(rings).size(), static_cast<std::size_t>(kAtOnce));
}

TEST_F(ThreadRingsTest, MayBeOutlivedByTheirThreads) {
  auto rings = std::make_unique<ThreadRings>(segment_, ThreadRings::kSmallRing);
  std::thread([this, &rings] {
    static_cast<void>(rings->of_this_thread());
    rings.reset();
    ThreadRings next(segment_, ThreadRings::kSmallRing);
    EXPECT_NE(next.of_this_thread(), nullptr);
  }).join();
}

TEST_F(ThreadRingsTest, AreSmallerOnceTheirMemoryIsSpent) {
  ThreadRings rings(segment_, ThreadRings::kFullSizedRings);
  EXPECT_EQ(rings.of_this_thread()->capacity(), ThreadRings::kFullSizedRings);
  std::thread([&] { EXPECT_EQ(rings.of_this_thread()->capacity(), ThreadRings::kSmallRing); }).join();
}

TEST_F(ThreadRingsTest, LeaveTheStreamOfTheMetricsAlone) {
  constexpr std::size_t kMost = 2;
  ThreadRings rings(segment_, ThreadRings::kSmallRing, kMost);
  static_cast<void>(rings.of_this_thread());
  rings.provide_spares(slots_of(rings));
  rings.provide_spares(slots_of(rings));  // there is no room for a second
  ASSERT_EQ(slots_of(rings).size(), kMost);
  std::thread([&] {
    EXPECT_NE(rings.of_this_thread(), nullptr);
    std::thread([&] { EXPECT_EQ(rings.of_this_thread(), nullptr); }).join();
  }).join();
  for (const auto& slot : slots_of(rings)) EXPECT_LT(slot->ring.stream(), kMost);
  std::thread([&] { EXPECT_NE(rings.of_this_thread(), nullptr); }).join();  // the one that was given back
  EXPECT_EQ(slots_of(rings).size(), kMost);
}

// What records when it goes, as a thread_local or behind a key of pthreads.
struct RecordsWhenItGoes {
  ThreadRings* rings = nullptr;
  ~RecordsWhenItGoes() { record(rings); }

  static void record(void* rings) {
    Ring* ring = static_cast<ThreadRings*>(rings)->of_this_thread();
    if (ring != nullptr) static_cast<void>(push(*ring, 1));
  }
};

TEST_F(ThreadRingsTest, AreThereForDestructorsAtAThreadsEndAndGivenBackAfterThem) {
  constexpr std::uint64_t kThreads = 100;
  ThreadRings rings(segment_, ThreadRings::kSmallRing);
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    std::thread([&rings] {
      thread_local RecordsWhenItGoes first_made_last_gone{&rings};
      ASSERT_TRUE(push(*first_made_last_gone.rings->of_this_thread(), 0));
    }).join();
  }
  EXPECT_EQ(rings.committed(), 2 * kThreads);
  EXPECT_EQ(slots_of(rings).size(), 1U);
}

TEST_F(ThreadRingsTest, AreGivenBackWhereAKeysDestructorRecordsAfterThem) {
  constexpr std::uint64_t kThreads = 100;
  ThreadRings rings(segment_, ThreadRings::kSmallRing);
  static_cast<void>(rings.of_this_thread());  // whose key is now older, and ends first
  pthread_key_t younger{};
  ASSERT_EQ(::pthread_key_create(&younger, &RecordsWhenItGoes::record), 0);
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    std::thread([&] {
      ASSERT_EQ(::pthread_setspecific(younger, &rings), 0);
      ASSERT_TRUE(push(*rings.of_this_thread(), 0));
    }).join();
  }
  ::pthread_key_delete(younger);
  EXPECT_EQ(rings.committed(), 2 * kThreads);
  EXPECT_EQ(slots_of(rings).size(), 2U);  // this thread's, and theirs
}

}  // namespace
}  // namespace metricsd::client
