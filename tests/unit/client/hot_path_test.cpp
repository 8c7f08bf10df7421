// What recording does not do: allocate, wake or be woken, grow. (That it makes no system call is seen from
// outside: system_calls_test.py.)
#include <metricsd/client/collector.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

thread_local std::uint64_t t_allocations = 0;

}  // namespace

#if !METRICSD_SANITIZED
// Every way to memory counts, the library's own included: the loader finds these before the C library's, for
// they are not hidden as everything else is.
extern "C" {
void* __libc_malloc(std::size_t size);                     // NOLINT: names of the C library
void* __libc_calloc(std::size_t count, std::size_t size);  // NOLINT
void* __libc_realloc(void* block, std::size_t size);       // NOLINT
void* __libc_memalign(std::size_t at, std::size_t size);   // NOLINT

[[gnu::visibility("default")]] void* malloc(std::size_t size) {
  ++t_allocations;
  return __libc_malloc(size);
}
[[gnu::visibility("default")]] void* calloc(std::size_t count, std::size_t size) {
  ++t_allocations;
  return __libc_calloc(count, size);
}
[[gnu::visibility("default")]] void* realloc(void* block, std::size_t size) {
  ++t_allocations;
  return __libc_realloc(block, size);
}
[[gnu::visibility("default")]] void* aligned_alloc(std::size_t at, std::size_t size) {
  ++t_allocations;
  return __libc_memalign(at, size);
}
}
#endif

namespace metricsd::client {
namespace {

using std::chrono::milliseconds;

class HotPathTest : public ::testing::Test {
 protected:
  // With room for all that a test records at once, also in a second ring: the first may still be in the
  // making.
  [[nodiscard]] RunOptions options() const {
    return {.export_dir = directory_.path() / "metrics",
            .exports = {},
            .join_from_environment = false,
            .send_to_daemon = false,
            .ring_bytes = std::size_t{32} << 20};
  }

  using Shape = std::function<void(Collector&, const BoundOperation&)>;
  static std::vector<Shape> shapes() {
    const auto start = std::chrono::system_clock::now();
    return {
        [=](Collector&, const BoundOperation& upload) {
          upload.record({.duration = milliseconds(1), .start = start});
        },
        [](Collector&, const BoundOperation& upload) {
          upload.record({.success = false, .error_code = "SlowDown", .error_message = "later"});
        },
        [](Collector&, const BoundOperation& upload) { upload.time().success(); },
        [](Collector& run, const BoundOperation&) {
          run.record({.operation_type = "upload", .object_key = "bucket/key", .user_id = "u"});
        },
        [](Collector& run, const BoundOperation&) { run.time("upload", "bucket/key").success(); },
    };
  }

  support::TemporaryDirectory directory_;
};

TEST_F(HotPathTest, AllocatesNothing) {
#if METRICSD_SANITIZED
  GTEST_SKIP() << "the sanitizers have allocators of their own";
#endif
  constexpr int kOperations = 50'000;
  Collector run(options());
  const BoundOperation upload = run.bind("upload");
  std::uint64_t recorded = 0;
  for (const Shape& shape : shapes()) {
    shape(run, upload);
    const std::uint64_t before = t_allocations;
    for (int i = 0; i < kOperations; ++i) shape(run, upload);
    EXPECT_EQ(t_allocations - before, 0U);
    recorded += kOperations + 1;
  }
  EXPECT_GT(t_allocations, 0U);  // they do count
  const Report report = run.finish();
  EXPECT_EQ(report.recorded, recorded);
  EXPECT_TRUE(report.dropped.empty());
}

TEST_F(HotPathTest, MetricsAllocateNothing) {
#if METRICSD_SANITIZED
  GTEST_SKIP() << "the sanitizers have allocators of their own";
#endif
  Collector run(options());
  Counter counter = run.counter({.name = "requests"});
  Gauge gauge = run.gauge({.name = "depth"});
  Histogram histogram = run.histogram({.name = "wait"});
  const auto use = [&](int i) {
    counter.add();
    counter.add(0.5);
    gauge.set(i);
    gauge.add(1);
    histogram.observe(i * 1e-6);
  };
  use(0);
  const std::uint64_t before = t_allocations;
  for (int i = 0; i < 50'000; ++i) use(i);
  EXPECT_EQ(t_allocations - before, 0U);
}

// Voluntary switches are what waiting is, for a lock or in a call.
TEST_F(HotPathTest, NeitherWaitsNorWakes) {
#if METRICSD_SANITIZED
  GTEST_SKIP() << "the sanitizers have locks of their own";
#endif
  const auto waits_of_this_thread = [] {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
  };
  constexpr int kOperations = 100'000;
  Collector run(options());
  const BoundOperation upload = run.bind("upload");
  for (const Shape& shape : shapes()) {
    shape(run, upload);
    const auto before = waits_of_this_thread();
    for (int i = 0; i < kOperations; ++i) shape(run, upload);
    EXPECT_EQ(waits_of_this_thread() - before, 0);
  }
}

// Of the thread of this process that has the name; nothing where there is none.
std::optional<std::uint64_t> waits_of_thread(const std::string& name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string line;
    bool found = false;
    while (std::getline(status, line)) {
      if (line == "Name:\t" + name) found = true;
      constexpr std::string_view kField = "voluntary_ctxt_switches:";
      if (found && line.starts_with(kField)) return std::stoull(line.substr(kField.size()));
    }
  }
  return std::nullopt;
}

// It comes by itself: were it woken by the records, it would be once for each of the many bursts.
TEST_F(HotPathTest, TheWriterIsNotWokenByRecords) {
  constexpr std::uint64_t kOperations = 200'000;
  constexpr std::uint64_t kBurst = 20;
  RunOptions idle = options();
  idle.write_files = false;  // it waits for a disk too
  Collector run(idle);
  const BoundOperation upload = run.bind("upload");
  while (!waits_of_thread("metrics-client")) std::this_thread::yield();  // it names itself
  const std::uint64_t before = waits_of_thread("metrics-client").value();
  for (std::uint64_t i = 0; i < kOperations; ++i) {
    upload.record({.duration = milliseconds(1)});
    if (i % kBurst == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  const std::uint64_t woken = waits_of_thread("metrics-client").value() - before;
  EXPECT_LE(woken, kOperations / 100);
}

// Resident memory of this process, shared memory included.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(HotPathTest, MemoryDoesNotGrowWithOperations) {
#if METRICSD_SANITIZED
  GTEST_SKIP() << "the sanitizers' own memory grows";
#endif
  RunOptions patient = options();
  patient.write_files = false;  // gigabytes
  patient.send_to_daemon = true;
  patient.socket = (directory_.path() / "nobody").string();
  patient.queue_bytes = std::size_t{64} << 10;
  patient.ring_bytes = std::size_t{1} << 20;
  patient.full_ring_wait = std::chrono::minutes(10);
  Collector run(patient);
  const BoundOperation upload = run.bind("upload", {.workload_type = "s3"});
  const auto record_up_to = [&](std::uint64_t operations) {
    while (run.recorded() < operations) {
      for (int i = 0; i < 1000; ++i) upload.record({.duration = milliseconds(1), .object_size_bytes = 4096});
    }
    return resident_bytes();
  };
  const std::uint64_t early = record_up_to(100'000);
  const std::uint64_t late = record_up_to(10'000'000);
  // Buffers may still grow up to their bounds; a byte for each operation would be 10 MB.
  EXPECT_LE(late, early + (std::uint64_t{4} << 20));
  EXPECT_EQ(run.recorded(), 10'000'000U);
}

}  // namespace
}  // namespace metricsd::client
