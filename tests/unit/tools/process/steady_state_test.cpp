// What a sample does not do once a tree is known: allocate.
#include "real_child.h"
#include "system_sampler.h"
#include "tree_sampler.h"

#include <metricsd/support/sanitized.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include <gtest/gtest.h>

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

#if !METRICSD_SANITIZED
// Not inline, or the compiler sees new's memory given to free() and warns of it.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace metricsd::tools {
namespace {

TEST(SteadyState, ASampleOfATreeAllocatesNothing) {
  std::vector<std::unique_ptr<RealChild>> children;
  TreeSampler sampler({}, {}, {}, system_clock());
  for (int i = 0; i < 10; ++i) {
    children.push_back(std::make_unique<RealChild>([] {
      ::pause();
      return 0;
    }));
    ASSERT_TRUE(sampler.follow(children.back()->pid()));
  }
  for (int i = 0; i < 3; ++i) (void)sampler.sample();
  // Other processes of the machine come and go: one of many samples sees none of that.
  std::uint64_t fewest = ~std::uint64_t{0};
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t before = allocations;
    EXPECT_EQ(sampler.sample().total.processes, 10U);
    fewest = std::min<std::uint64_t>(fewest, allocations - before);
  }
  EXPECT_EQ(fewest, 0U);
}

}  // namespace
}  // namespace metricsd::tools
