#include "segment.h"

#include "handles.h"
#include "intake.h"
#include "outbox.h"
#include "record.h"
#include "support/rings.h"

#include <metricsd/ipc/segment_record.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::string_view kClient = "0123456789abcdef0123456789abcdef";

// Who reads a segment when its owner is gone: with pread(), believing nothing but what was checked.
class SegmentReader {
 public:
  explicit SegmentReader(int file) : file_(file) {}

  [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::uint64_t bytes) const {
    std::vector<std::byte> out(bytes);
    const ssize_t got = ::pread(file_, out.data(), bytes, static_cast<off_t>(offset));
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }
  template <class T>
  [[nodiscard]] T read_as(std::uint64_t offset) const {
    T value;
    const auto bytes = read(offset, sizeof value);
    EXPECT_EQ(bytes.size(), sizeof value);
    std::memcpy(static_cast<void*>(&value), bytes.data(), bytes.size());
    return value;
  }
  template <class Visit>
  void for_each_block(const Visit& visit) const {
    const std::uint64_t end = read_as<std::uint64_t>(offsetof(ipc::SegmentHeader, end));
    std::uint64_t at = read_as<std::uint32_t>(offsetof(ipc::SegmentHeader, page_bytes));
    while (at < end) {
      const auto block = read_as<ipc::BlockHeader>(at);
      ASSERT_GE(block.bytes, sizeof block);
      ASSERT_LE(block.bytes, end - at);
      visit(at, block);
      at += block.bytes;
    }
    EXPECT_EQ(at, end);
  }

 private:
  int file_;
};

TEST(Segment, SaysWhoseItIs) {
  Segment segment(kClient);
  segment.set_run("nightly-17", {});
  const SegmentReader reader(segment.descriptor());
  EXPECT_EQ(reader.read_as<std::uint64_t>(offsetof(ipc::SegmentHeader, magic)), ipc::kSegmentMagic);
  EXPECT_EQ(reader.read_as<std::uint32_t>(offsetof(ipc::SegmentHeader, version)), ipc::kSegmentVersion);
  EXPECT_EQ(reader.read_as<std::uint32_t>(offsetof(ipc::SegmentHeader, pid)),
            static_cast<std::uint32_t>(::getpid()));
  const auto client = reader.read(offsetof(ipc::SegmentHeader, identities), kClient.size());
  EXPECT_EQ(std::memcmp(client.data(), kClient.data(), kClient.size()), 0);
  EXPECT_STREQ(segment.header().run_id, "nightly-17");
}

// All that is needed to finish what a process left: its names, its records, how far it had come.
TEST(Segment, CanBeReadWithoutItsOwner) {
  Intake intake(kClient, {});
  const std::uint32_t handle = intake.handles().bind("upload", "s3", "boto");
  Ring& ring = *intake.rings().of_this_thread();
  record_bound(intake.gate(), handle, {.duration = std::chrono::nanoseconds(1)});
  record_bound(intake.gate(), handle, {.duration = std::chrono::nanoseconds(2), .object_key = "k"});
  record_operation(intake.gate(), {.operation_type = "download", .duration = std::chrono::nanoseconds(3)});
  testing::take_and_release(ring, 64, 1, 1);
  intake.losses().add(Loss::ring_full, 7);

  const SegmentReader reader(intake.segment().descriptor());
  std::map<std::uint32_t, std::string> names;
  std::vector<std::string> records;
  ipc::RingPosition position{};
  reader.for_each_block([&](std::uint64_t at, const ipc::BlockHeader& block) {
    if (block.kind == ipc::BlockKind::dictionary) {
      const auto used = reader.read_as<std::uint64_t>(at + offsetof(ipc::DictionaryBlock, used));
      const auto bytes = reader.read(at + sizeof(ipc::DictionaryBlock), used);
      for (std::size_t i = 0; i + sizeof(ipc::DictionaryEntry) <= bytes.size();) {
        ipc::DictionaryEntry entry;
        std::memcpy(&entry, bytes.data() + i, sizeof entry);
        const auto* text = reinterpret_cast<const char*>(bytes.data()) + i + sizeof entry;
        names[entry.handle] = {text, entry.lengths[0]};
        i += entry.size;
      }
    } else if (block.kind == ipc::BlockKind::ring) {
      const auto head = reader.read_as<std::uint64_t>(at + offsetof(ipc::RingBlock, head));
      const auto current = reader.read_as<std::uint32_t>(at + offsetof(ipc::RingBlock, current));
      position = reader.read_as<ipc::RingPosition>(at + offsetof(ipc::RingBlock, positions) +
                                                   (current & 1) * sizeof(ipc::RingPosition));
      const auto bytes =
          reader.read(at + Segment::page_bytes() + position.taken_to, head - position.taken_to);
      std::span<const std::byte> left = bytes;
      ipc::Record record;
      while (ipc::decode_record(left, record)) {
        records.push_back(names[record.header.handle] +
                          std::string(record.text(ipc::RecordText::operation_type)) + " " +
                          std::to_string(record.header.duration));
        left = left.subspan(record.header.size);
      }
      EXPECT_TRUE(left.empty());
    }
  });
  EXPECT_THAT(records, ::testing::ElementsAre("upload 2", "download 3"));
  EXPECT_EQ(position.taken, 1U);
  EXPECT_EQ(position.sequence, 1U);
  const ipc::SegmentLoss& full = intake.segment().header().losses[static_cast<std::size_t>(Loss::ring_full)];
  EXPECT_STREQ(full.sink, "ring");
  EXPECT_STREQ(full.cause, "full");
  EXPECT_EQ(full.operations.load(), 7U);
}

TEST(Segment, IsClosedToProgramsThatAreStarted) {
  const Segment segment(kClient);
  EXPECT_EQ(::fcntl(segment.descriptor(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

int exit_code_of(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The signal of a file size limit would end the workload.
TEST(Segment, DoesWithoutAFileWhereALimitForbidsOne) {
  EXPECT_EQ(exit_code_of([] {
              (void)std::signal(SIGXFSZ, SIG_DFL);
              const rlimit small{100'000, 100'000};
              ::setrlimit(RLIMIT_FSIZE, &small);
              Intake intake(kClient, {});
              if (intake.segment().descriptor() != -1) return 1;
              Ring& ring = *intake.rings().of_this_thread();
              for (int round = 0; round < 100; ++round) {  // several times around
                while (record_bound(intake.gate(), 2, {}), ring.readable().size() < ring.capacity()) {
                }
                ipc::Record record;
                if (!ipc::decode_record(ring.readable(), record) || record.header.handle != 2) return 2;
                testing::take_and_release(ring, ring.readable().size(), ring.readable().size() / 64, 0);
                record_operation(intake.gate(), {.operation_type = "odd"});
                testing::take_and_release(ring, ring.readable().size(), 1, 0);
              }
              return 0;
            }),
            0);
}

TEST(Segment, GrowsUnderALimitThatCameLater) {
  EXPECT_EQ(exit_code_of([] {
              (void)std::signal(SIGXFSZ, SIG_DFL);
              Segment segment(kClient);
              const rlimit small{100'000, 100'000};
              ::setrlimit(RLIMIT_FSIZE, &small);
              Ring ring(segment, 0, std::size_t{1} << 20);
              ring.populate();
              return 0;
            }),
            0);
}

// A tmpfs that is full: what finds no room is refused, and nothing that was mapped is missing.
TEST(Segment, IsBoundedByAFullFileSystem) {
  const support::TemporaryDirectory at;
  const int code = exit_code_of([&at] {
    const std::string directory = at.path();
    if (::unshare(CLONE_NEWNS) != 0) return 77;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=16m,mode=0700") != 0) return 77;
    Segment segment(kClient, {directory + "/segments"});
    segment.set_run("r1", {"{}\n", "", "", "", ""});
    if (segment.path().empty()) return 1;
    Outbox outbox(segment, std::size_t{64} << 20);
    Ring ring(segment, 0, std::size_t{1} << 20);
    const UniqueFd filler(::open((directory + "/filler").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::fallocate(filler.get(), 0, 0, 10 << 20) != 0) return 2;
    Outbox::Outcome outcome;
    std::uint64_t queued = 0;
    do {
      queued += outcome.queued;
      outbox.begin_batch(0);
      OperationView operation;
      operation.operation_type = "upload";
      for (int i = 0; i < 10'000; ++i) outbox.add(operation);
      outcome = outbox.end_batch();
    } while (outcome.refused == 0);
    if (queued == 0 || outbox.queue().sum().operations != queued) return 3;
    try {
      while (true) static_cast<void>(segment.add_ring(1, std::size_t{1} << 16));
    } catch (const std::bad_alloc&) {
    }
    ring.populate();  // all of its memory is there
    return ::ftruncate(filler.get(), 0) == 0 && (outbox.begin_batch(0), outbox.add_nothing(), true) &&
                   outbox.end_batch().queued == 1
               ? 0
               : 4;
  });
  if (code == 77) GTEST_SKIP() << "no file system may be mounted here";
  EXPECT_EQ(code, 0);
}

// A child that lives on neither holds the memory nor could write to it.
TEST(Segment, IsNotMappedInAForkedChild) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers map what a child has not";
  Segment segment(kClient);
  const Ring ring(segment, 0, std::size_t{1} << 20);
  const auto* const data = ring.readable().data();
  unsigned char there = 0;
  const std::byte* const page = data - reinterpret_cast<std::uintptr_t>(data) % Segment::page_bytes();
  ASSERT_EQ(::mincore(const_cast<std::byte*>(page), 1, &there), 0);
  EXPECT_EQ(exit_code_of([&] {
              if (::mincore(const_cast<std::byte*>(page), 1, &there) != -1) return 1;
              return ::fcntl(segment.descriptor(), F_GETFD) == -1 ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace metricsd::client
