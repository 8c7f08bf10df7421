// Reads the segment (segment_layout.h) of a process that is gone, believing none of it.
//
// What holds the rest together (header, chain of blocks, the blocks' own figures) must be right, or the whole
// segment is refused; what rings and queue hold is given out record by record (ring_reader.h,
// queue_reader.h), as far as it is whole. Reads by pread() alone: a file that changes or shrinks meanwhile is
// one that contradicts itself, no more. A death at any moment leaves a segment that is right.
//
// Memory: some bytes a block, of which limits::kSegmentBlocks are followed, and what the run says. What is
// read at once, of however many blocks, is limits::kSegmentTexts at most. One thread.
#pragma once

#include <metricsd/ipc/counter_timeline.h>
#include <metricsd/ipc/record_names.h>
#include <metricsd/ipc/segment_layout.h>
#include <metricsd/models/drop_counts.h>
#include <metricsd/models/errors.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::ipc {

// A ring as its block says, all within the file and in keeping with each other.
struct SegmentRing {
  std::uint32_t stream = 0;
  std::uint64_t offset = 0;  // of its records, in the file
  std::uint64_t capacity = 0;
  std::uint64_t head = 0;
  std::uint64_t committed = 0;  // as the writer counted; may be anything
  RingPosition position{};
};

// A part of the queue: where in the file its entries are.
struct SegmentQueuePart {
  std::uint64_t order = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// What a reader must know of the run. All empty where the segment does not say.
struct SegmentRun {
  std::string run_start;  // a line of the socket
  std::string directory;  // absolute, or empty
  std::string workload_type;
  std::string driver;
  std::string id_prefix;
};

// How far the lines for the run's file had come.
struct SegmentAppend {
  std::uint64_t block = 0;  // its place in the file
  AppendState state = AppendState::gathering;
  std::uint64_t file_bytes = 0;
  std::uint64_t text_offset = 0;
  std::uint64_t text_bytes = 0;
  std::vector<AppendSpan> spans{};  // none while lines are gathered: the rings have these records
};

// The names behind the handles of records, as far as the dictionary has them.
class SegmentNames : public RecordNameSource {
 public:
  void add(RecordNames names) { entries_.push_back(std::move(names)); }
  void refresh(std::vector<const RecordNames*>& entries) const override {
    for (std::size_t i = entries.size(); i < entries_.size(); ++i) entries.push_back(&entries_[i]);
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  std::deque<RecordNames> entries_;
};

class SegmentReader {
 public:
  // `file` stays the caller's and outlives the reader. Errors: corrupt_state; unsupported_protocol for one of
  // another version; endpoint_unusable for what is no file of memory or disk; the system's.
  [[nodiscard]] static Result<SegmentReader> open(int file);

  [[nodiscard]] int file() const { return file_; }
  [[nodiscard]] std::uint32_t pid() const { return pid_; }
  // 32 hex digits, as in a hello.
  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  // What the client spoke to last; empty where it never was welcomed.
  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  // That has said that it keeps something of the client for good.
  [[nodiscard]] bool is_confirmed() const { return is_confirmed_; }
  [[nodiscard]] Adopted adopted() const { return adopted_; }
  // Its run has ended: records that the queue did not take are among the losses.
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] const SegmentRun& run() const { return run_; }
  // What turns its ticks into time.
  [[nodiscard]] const CounterTimeline& timeline() const { return timeline_; }
  // By sink and cause, in operations; without what was being counted while its records were still in a ring
  // or on their way to the file. Names by the rule of a heartbeat's; others are left out.
  [[nodiscard]] const DropCounts& losses() const { return losses_; }
  // By stream; each but once.
  [[nodiscard]] const std::vector<SegmentRing>& rings() const { return rings_; }
  // The oldest entries first.
  [[nodiscard]] const std::vector<SegmentQueuePart>& queue() const { return queue_; }
  // Nothing where no files are written.
  [[nodiscard]] const std::optional<SegmentAppend>& append() const { return append_; }

  // Errors: corrupt_state, the system's.
  [[nodiscard]] Result<SegmentNames> read_names() const;
  // The lines that define metrics are in so many parts, none longer than limits::kSegmentText.
  [[nodiscard]] std::size_t definition_parts() const { return definitions_.size(); }
  // Errors as above.
  [[nodiscard]] Result<std::string> read_definitions(std::size_t part) const;

 private:
  struct Block {
    BlockKind kind;
    std::uint32_t number;
    std::uint64_t offset;
    std::uint64_t bytes;
  };
  // One that says how much of it is used.
  struct TextBlock {
    Block block;
    std::uint64_t text;  // where it begins in the block
    std::uint64_t used;
  };

  explicit SegmentReader(int file) : file_(file) {}

  Result<> read_header(std::span<const std::byte> header, std::uint64_t file_bytes);
  void take_turn_back(std::span<const std::byte> header);
  void name_losses(std::span<const std::byte> header);
  Result<> read_blocks();
  Result<> read_block(const Block& block);
  Result<> read_ring(const Block& block);
  Result<> read_queue_part(const Block& block);
  Result<> read_run(const Block& block);
  Result<> read_append(const Block& block);
  Result<> check_rings();
  template <class Struct>
  Result<> note_text(const Block& block, std::vector<TextBlock>& blocks);
  [[nodiscard]] bool takes_text(std::uint64_t bytes);
  Result<std::string> read_text(const TextBlock& block) const;

  int file_;
  std::uint64_t page_ = 0;
  std::uint64_t end_ = 0;
  std::uint32_t pid_ = 0;
  std::string client_id_;
  std::string store_id_;
  bool is_confirmed_ = false;
  Adopted adopted_ = Adopted::no;
  bool has_ended_ = false;
  CounterTimeline timeline_{CounterReading{}};
  std::vector<TextBlock> dictionary_;
  std::vector<TextBlock> definitions_;
  std::uint64_t texts_ = 0;  // bytes of them and of the run
  bool has_run_ = false;
  std::vector<SegmentRing> rings_;
  std::vector<SegmentQueuePart> queue_;
  SegmentRun run_;
  std::optional<SegmentAppend> append_;
  std::array<std::uint64_t, kSegmentLosses> loss_counts_{};
  DropCounts losses_;
};

}  // namespace metricsd::ipc
