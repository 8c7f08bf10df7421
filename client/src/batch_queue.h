// Encoded batches that a daemon has not acknowledged as durable: written in order, kept until they are, and
// written again where a connection ended before. When full the newest are refused.
//
// They lie in blocks of the segment, where they outlive the process (ipc/segment_layout.h says in what order
// they are written); here is only where each of them is. Blocks are made as what waits grows, up to the
// bound, and used again. Memory: `max_bytes`, entries here included, and one block more. One thread.
//
// A daemon takes the lines of a connection in their order; so what it has folded is the queue's beginning,
// and one position says what goes next.
#pragma once

#include "segment.h"

#include <metricsd/ipc/message.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace metricsd::client {

class BatchQueue {
 public:
  BatchQueue(Segment& segment, std::size_t max_bytes);

  struct Batch {
    std::uint32_t stream = 0;
    std::uint64_t first_seq = 0;
    std::uint64_t last_seq = 0;
    std::uint64_t operations = 0;  // rows that are one
  };
  // Of what is not in the queue any more.
  struct Sum {
    std::uint64_t operations = 0;
    std::uint64_t samples = 0;  // rows of the stream of metrics
  };

  // False where there is no room. Throws std::bad_alloc where there is no memory, and has taken nothing then.
  [[nodiscard]] bool push(const Batch& batch, std::string_view line);
  // Whether push() would take a line of so many bytes, if there is memory.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  [[nodiscard]] std::size_t longest_line() const;

  // What to write next: lines that were not written on this connection, or only the rest of the one that was
  // begun. Fills as many of `parts` as there is something for; valid until the next call of another function.
  [[nodiscard]] std::span<const iovec> unsent(std::span<iovec> parts) const;
  [[nodiscard]] std::string_view begun_line() const;
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_bytes_; }
  // The first `size` bytes of unsent() were written.
  void consume(std::size_t size);
  [[nodiscard]] bool at_line_start() const { return sent_of_line_ == 0; }
  [[nodiscard]] bool all_sent() const { return sent_ == items_.size(); }
  // Whether what was written and not acknowledged takes up half of the room.
  [[nodiscard]] bool awaits_much() const { return 2 * (held_bytes_ - unsent_bytes_) >= max_bytes_; }

  // Forgets, from the front on, what is durable; whether that was anything.
  bool release(const std::vector<ipc::StreamProgress>& progress);
  // A new connection, to a daemon that has come so far: the next to write is the first that it has not
  // folded. As release().
  bool begin_connection(const std::vector<ipc::StreamProgress>& progress);
  // What was written so far was written to somebody else.
  void begin_store() { ever_sent_ = 0; }

  // The first batch and its line, for who delivers it by other means; gone with pop_front().
  [[nodiscard]] std::string_view front_line() const;
  [[nodiscard]] Sum front() const { return sum_of(items_.front().batch); }
  void pop_front();
  // Forgets what a daemon of this store may have had; or all.
  Sum forget_sent();
  Sum clear();
  // Of all that waits.
  [[nodiscard]] Sum sum() const;

  [[nodiscard]] bool empty() const { return items_.empty(); }
  // Sets the number of each stream that has something here to that of its oldest.
  void first_seqs(std::span<std::uint64_t> by_stream) const;

 private:
  struct Item {
    Batch batch;
    std::string_view line;
    std::size_t block = 0;
  };
  struct Block {
    SegmentMapping mapping;
    std::size_t entries = 0;

    [[nodiscard]] ipc::QueueBlock& header() const {
      return *reinterpret_cast<ipc::QueueBlock*>(mapping.address());
    }
  };

  [[nodiscard]] static Sum sum_of(const Batch& batch);
  [[nodiscard]] static std::size_t entry_bytes(std::size_t line_bytes);
  [[nodiscard]] bool current_has_room(std::size_t entry) const;
  [[nodiscard]] std::size_t find_free() const;
  void make_room(std::size_t entry);
  void open(std::size_t block);

  Segment& segment_;
  const std::size_t max_bytes_;
  const std::size_t block_bytes_;
  const std::size_t most_blocks_;
  std::vector<Block> blocks_;
  std::size_t current_ = 0;  // takes the next entry, if there is any block
  std::uint64_t orders_ = 0;
  std::deque<Item> items_;
  std::size_t held_bytes_ = 0;    // entries in blocks
  std::size_t unsent_bytes_ = 0;  // of lines
  std::size_t sent_ = 0;          // batches wholly written
  std::size_t sent_of_line_ = 0;  // of the one after them
  std::size_t ever_sent_ = 0;     // batches wholly written on any connection to this store
};

}  // namespace metricsd::client
