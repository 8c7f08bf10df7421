// The layout of a client's segment: all that a process has recorded and not yet handed on, in one file of
// shared memory that outlives the process.
//
//   page 0              SegmentHeader
//   page 1 ...          blocks, one directly after the other up to SegmentHeader::end, each a whole number of
//                       pages that begins with a BlockHeader; a reader skips kinds that it does not know
//     ring              RingBlock in the first page, then `capacity` bytes of records
//     dictionary        DictionaryBlock, then its entries
//     queue             QueueBlock, then entries: encoded batches that are not known to be durable
//     run               RunBlock, then texts: what a reader must know of the run
//     definitions       DefinitionsBlock, then `define` lines: of the metrics that queued samples mean
//     append            AppendBlock in the first page, then text: the lines on their way to operations.jsonl
//
// Numbers are in the machine's own order: a segment never leaves the machine. One process writes, the one
// that made it; others read with pread() and never map it. A reader trusts nothing: every offset, length,
// kind and size is checked against the file's length and against each other before it is used; what is
// written last (end, head, used, current, order, state) is what says that the rest is there.
//
// The file. `<runtime dir>/segments/<client id>` (endpoint_path.h), mode 0600, on a tmpfs. It gets its name
// when its header is whole and its owner's lock is held, so that nobody ever finds a named one without.
// Where no such directory can be had it has no name, and lives as long as somebody holds it. Its descriptor
// goes to the daemon with the first byte of each hello. The lock is a POSIX write lock of byte 0: the
// kernel gives it back when the owner ends, however that comes; a forked child does not have it. *While
// F_GETLK names an owner the segment is the owner's alone; once it names none, whatever is in it is for
// others to deliver*, though the process may go on (it has finished its run). The owner removes the name
// where nothing is left to deliver. Who adopts it takes the lock first, and at the end writes
// SegmentHeader::adopted and removes the name; who may write but not remove leaves the latter to the next
// who may. A client that makes a segment removes adopted ones of its user in its directory, and hands in
// those that nobody has adopted. It is never truncated: the owner may live and have it mapped. Names and
// client ids differ only if the owner died while it took a new id; the id in the header is right.
//
// Records. Positions in a ring are byte counts that only grow; position & (capacity - 1) is the place, and a
// record may lie across the end (its writer has the ring mapped twice, back to back). The records between
// `written_to` and the head are whole. Two readers of the owner's come past each of them, each with its own
// cursor; what both have passed may be overwritten:
//   the queue   has come to `taken_to`: `taken` records, of which `sequence` have a number on the wire. The
//               record at `taken_to` has the number `sequence` + 1, the next one `sequence` + 2: each record
//               that is left has one, also one that turns out to be no operation (it is a null row). Records
//               that the queue refused have none: they are counted by their cause and leave no hole.
//   the files   have come to `written_to`: `written` records, the ordinals 1 to `written`. It is never ahead
//               of the queue's. Where no files are written the two are the same.
//
// The order of writes, and what a death between two of them leaves (stores become visible in the program's
// order; a kill cuts them off somewhere):
//   1. record()     the record, then `committed`, then `head`: a record behind the head is none.
//   2. the queue    a turn makes at most one batch of one ring's records: its entry behind QueueBlock::end,
//                   then `end`, then the ring's cursor. Between the last two its records stand in both, under
//                   the same numbers: who folds entries before records, each number once, is right.
//                   Where the queue refuses: SegmentHeader::turn is set, the losses are counted, the cursor
//                   moves, `turn` is cleared. A reader who finds `turn` set, and the ring's `taken` where it
//                   says, takes the marked counts back: the records are still there.
//   3. the files    lines are gathered in AppendBlock; `file_bytes` and `marks`, then `state` = appending;
//                   write(); what could not be written is counted; `state` = settled; the rings' cursors, one
//                   after the other; `state` = gathering.
//                   gathering: the cursors say it all. settled: all of `spans` is dealt with, wherever the
//                   cursors are. appending: the marked counts are taken back, and the file says which lines
//                   it has: read from byte `file_bytes` on, the text's lines appear there in their order,
//                   among other processes' lines and halves of lines. The first line of the text that does
//                   not is the first that the file lacks (a last line there without its newline is whole if
//                   it equals a line of the text). Lines are compared as bytes: no id has to be unique.
//                   completing, set by who adopts: all of `spans` is dealt with, and the lines of the
//                   records behind them are being appended. Who finds this goes on as with `appending`: from
//                   byte `file_bytes` on, the lines that are there appear in the order of the rings.
//                   completed: the file lacks nothing.
//   4. an ack       QueueBlock::begin moves past the entry; a block of which all entries are gone is free:
//                   `order` = 0, and when it is used again begin, end, then `order`, greater than any before.
//   5. a new client id, or another store: the other one of `identities`, then `identity`.
// The id of an operation that was given none is "<id prefix>-<stream>-<ordinal>": whoever writes it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace metricsd::ipc {

inline constexpr std::uint64_t kSegmentMagic =
    0x3130'4745'5344'544DU;  // "MTDSEG01" read as a little-endian number
inline constexpr std::uint32_t kSegmentVersion = 2;
inline constexpr std::size_t kSegmentLosses = 32;      // sink and cause pairs there is room for
inline constexpr std::size_t kSegmentAlignment = 128;  // two lines: some processors fetch them in pairs

// What the writer's raw counter is; ticks of one kind mean nothing to another.
enum class CounterKind : std::uint32_t { steady_clock = 0, tsc = 1, cntvct = 2 };

// Two readings of the raw counter beside the clocks, and so a line through them.
struct CalibrationLine {
  std::int64_t first_ticks;
  std::int64_t first_monotonic_ns;
  std::int64_t last_ticks;
  std::int64_t last_monotonic_ns;
  std::int64_t wall_minus_monotonic_ns;
};

// A line is written as a whole before `current` points to it: whoever looks after a death finds one that is
// consistent.
struct SegmentCalibration {
  CounterKind counter;
  std::atomic<std::uint32_t> current;  // which of `lines` counts: 0 or 1
  CalibrationLine lines[2];            // all 0 before the first
};

// Operations lost, by sink and cause. Names are padded with NUL; an entry without a sink is unused.
struct SegmentLoss {
  char sink[16];
  char cause[24];
  std::atomic<std::uint64_t> operations;
};

// What one of `losses` was before it was added to.
struct SegmentLossMark {
  std::uint32_t loss;  // its index; kNoLoss: this mark says nothing
  std::uint32_t reserved;
  std::uint64_t operations;
};
inline constexpr std::uint32_t kNoLoss = UINT32_MAX;
inline constexpr std::size_t kLossMarks = 4;

// Records of one ring are being counted as lost.
struct SegmentTurn {
  std::atomic<std::uint32_t> set;  // 0: nothing
  std::uint32_t stream;
  std::uint64_t taken;  // of the ring's cursor as long as the turn is not over
  SegmentLossMark marks[kLossMarks];
};

// By what name the client is known, and to whom.
struct SegmentIdentity {
  char client_id[32];
  char store_id[32];        // of the last welcome; NUL: none came, and nothing that is left was ever sent
  std::uint32_t confirmed;  // 1: that store has said that it keeps something of this client for good
  std::uint32_t reserved;
};

// What of a segment was delivered by another than its owner.
enum class Adopted : std::uint32_t {
  no = 0,
  wholly = 1,
  by_daemon = 2,  // its queue and its losses; the run's file still lacks lines
};

struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t page_bytes;        // the unit of blocks: the writer's page
  std::atomic<std::uint64_t> end;  // of the last block, in bytes from the file's start
  std::uint32_t pid;               // as the owner sees it: for people
  std::uint32_t losses_used;
  std::atomic<Adopted> adopted;      // written with pwrite(), by who adopts it
  std::atomic<std::uint32_t> ended;  // 1: records beyond the cursors count as lost already
  std::uint32_t reserved;
  std::atomic<std::uint32_t> identity;  // which of `identities` counts: 0 or 1
  SegmentIdentity identities[2];
  char run_id[64];  // padded with NUL; empty until the run is open
  SegmentCalibration calibration;
  SegmentTurn turn;
  SegmentLoss losses[kSegmentLosses];
};
static_assert(sizeof(SegmentHeader) <= 4096, "the smallest page holds it");

enum class BlockKind : std::uint32_t {
  none = 0,
  ring = 1,
  dictionary = 2,
  queue = 3,
  run = 4,
  definitions = 5,
  append = 6,
};

struct BlockHeader {
  BlockKind kind;
  std::uint32_t
      number;           // of a ring: its stream; of the others 0, 1, ... in the order in which they were made
  std::uint64_t bytes;  // of the whole block: the next begins there
};

// How far a ring's two readers have come. Written as a whole before `current` points to it: whoever looks
// after a death finds one that is consistent.
struct RingPosition {
  std::uint64_t taken_to;
  std::uint64_t taken;
  std::uint64_t sequence;
  std::uint64_t written_to;
  std::uint64_t written;
};

struct RingBlock {
  BlockHeader block;
  std::uint64_t capacity;  // a power of two, at least a page; 0: the ring is not there yet

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

// Part of the queue: entries one after the other, each padded to 8 bytes, none longer than the block. The
// queue is the entries of all blocks, those of the smallest `order` first.
struct QueueBlock {
  BlockHeader block;
  std::atomic<std::uint64_t> order;  // 0: the block is free, whatever else it says
  std::atomic<std::uint64_t> begin;  // of the oldest entry, in bytes from the block's start
  std::atomic<std::uint64_t> end;    // behind the newest
};

// Then the line as it goes over the socket, its newline included: a batch, or samples of the last stream
// (limits::kMetricsStream).
struct QueueEntry {
  std::uint32_t size;  // with the line and padding
  std::uint32_t line_bytes;
  std::uint32_t stream;
  std::uint32_t reserved;
  std::uint64_t first_seq;
  std::uint64_t last_seq;
  std::uint64_t operations;  // of a batch: rows that are one
};
static_assert(sizeof(QueueEntry) == 40);

// Texts, one directly after the other behind this struct.
enum class RunText : std::size_t {
  run_start,      // the line that tells a daemon of the run, with its newline
  directory,      // of the run's files, absolute; empty: none are written
  workload_type,  // of records that name none
  driver,         // likewise
  id_prefix,      // of the ids of operations that were given none
};
inline constexpr std::size_t kRunTexts = static_cast<std::size_t>(RunText::id_prefix) + 1;

struct RunBlock {
  BlockHeader block;
  std::uint32_t lengths[kRunTexts];
  std::atomic<std::uint32_t> whole;  // 1: the texts are there
};

// Lines behind this struct; none spans two blocks.
struct DefinitionsBlock {
  BlockHeader block;
  std::atomic<std::uint64_t> used;  // bytes of lines that are whole
};

enum class AppendState : std::uint32_t {
  gathering = 0,
  appending = 1,
  settled = 2,
  completing = 3,
  completed = 4
};

// Consecutive records of one ring that have a line each. Records between two spans of a ring are none.
struct AppendSpan {
  std::uint32_t stream;
  std::uint32_t lines;
  std::uint64_t first;  // ordinal
};
inline constexpr std::size_t kAppendSpans = 240;

// Lines for the end of the run's operations.jsonl, from the block's second page on.
struct AppendBlock {
  BlockHeader block;
  std::atomic<AppendState> state;
  std::uint32_t spans_used;
  std::uint64_t text_bytes;
  std::uint64_t file_bytes;  // how long the file was before
  SegmentLossMark marks[kLossMarks];
  AppendSpan spans[kAppendSpans];  // in the order of the text
};
static_assert(sizeof(AppendBlock) <= 4096);

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace metricsd::ipc
