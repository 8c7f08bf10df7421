// The layout of a client's segment: all that a process has recorded and not yet handed on, in one file of
// shared memory that outlives the process for as long as somebody holds it.
//
//   page 0              SegmentHeader
//   page 1 ...          blocks, one directly after the other up to SegmentHeader::end, each a whole number of
//                       pages that begins with a BlockHeader; a reader skips kinds that it does not know
//     kRing             RingBlock in the first page, then `capacity` bytes of records
//     kDictionary       DictionaryBlock, then its entries
//
// Numbers are in the machine's own order: a segment never leaves the machine. One process writes, the one
// that made it; others read with pread() and never map it. A reader trusts nothing: every offset, length,
// kind and size is checked against the file's length and against each other before it is used; what is
// written last (end, head, used, current) is what says that the rest is there.
//
// Today the file is a memfd and has no name. To give it one (<runtime dir>/segments/<client_id>) changes only
// how it is opened: nothing here, and nothing that writes here, knows whether it has one.
//
// Positions in a ring are byte counts that only grow; position & (capacity - 1) is the place, and a record
// may lie across the end (its writer has the ring mapped twice, back to back). The records between a ring's
// tail and its head are whole. The one at the tail has the ordinal `taken` + 1 in its ring and the sequence
// number `sequence` + 1 on the wire: the wire counts only what its queue took, so that a loss is counted by
// its cause and leaves no hole.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace metricsd::ipc {

inline constexpr std::uint64_t kSegmentMagic =
    0x3130'4745'5344'544DU;  // "MTDSEG01" read as a little-endian number
inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kSegmentLosses = 32;      // sink and cause pairs there is room for
inline constexpr std::size_t kSegmentAlignment = 128;  // two lines: some processors fetch them in pairs

// What the writer's raw counter is; ticks of one kind mean nothing to another.
enum class CounterKind : std::uint32_t { steady_clock = 0, tsc = 1, cntvct = 2 };

// Two readings of the raw counter beside the clocks, and so a line through them. Odd `version`: being
// written.
struct SegmentCalibration {
  std::atomic<std::uint32_t> version;
  CounterKind counter;
  std::atomic<std::int64_t> first_ticks;
  std::atomic<std::int64_t> first_monotonic_ns;
  std::atomic<std::int64_t> last_ticks;
  std::atomic<std::int64_t> last_monotonic_ns;
  std::atomic<std::int64_t> wall_minus_monotonic_ns;
};

// Operations lost, by sink and cause. Names are padded with NUL; an entry without a sink is unused.
struct SegmentLoss {
  char sink[16];
  char cause[24];
  std::atomic<std::uint64_t> operations;
};

struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t page_bytes;        // the unit of blocks: the writer's page
  std::atomic<std::uint64_t> end;  // of the last block, in bytes from the file's start
  std::uint32_t pid;
  std::uint32_t losses_used;
  char client_id[32];
  char run_id[64];  // padded with NUL; empty until the run is open
  SegmentCalibration calibration;
  SegmentLoss losses[kSegmentLosses];
};
static_assert(sizeof(SegmentHeader) <= 4096, "the smallest page holds it");

enum class BlockKind : std::uint32_t { none = 0, ring = 1, dictionary = 2 };

struct BlockHeader {
  BlockKind kind;
  std::uint32_t number;  // of a ring: its stream; of a dictionary: 0, 1, ... in the order of their entries
  std::uint64_t bytes;   // of the whole block: the next begins there
};

// How far a ring's reader has come. Written as a whole before `current` points to it: whoever looks after a
// death finds one that is consistent.
struct RingPosition {
  std::uint64_t tail;
  std::uint64_t taken;
  std::uint64_t sequence;
};

struct RingBlock {
  BlockHeader block;
  std::uint64_t capacity;  // a power of two, at least a page

  // The writing thread's lines, and the reading one's: neither writes the other's.
  alignas(kSegmentAlignment) std::atomic<std::uint64_t> head;
  std::atomic<std::uint64_t> committed;  // records before the head

  alignas(kSegmentAlignment) std::atomic<std::uint64_t> tail;  // the writer may use what lies before it
  std::atomic<std::uint32_t> current;                          // which of `positions` counts: 0 or 1
  RingPosition positions[2];
};
static_assert(sizeof(RingBlock) <= 4096);

// The texts behind the handles of records. Entries lie one after the other behind this struct, each padded
// to 8 bytes, and are never changed.
struct DictionaryBlock {
  BlockHeader block;
  std::atomic<std::uint64_t> used;  // bytes of entries that are whole
};

// Then the texts: operation type, workload type, driver. Handle 0 is what a record without a handle goes by:
// its operation type is empty.
struct DictionaryEntry {
  std::uint32_t size;  // with its texts and padding
  std::uint32_t handle;
  std::uint16_t lengths[3];
  std::uint16_t reserved;
};
static_assert(sizeof(DictionaryEntry) == 16);

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace metricsd::ipc
