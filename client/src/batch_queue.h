// Encoded batches that a daemon has not acknowledged as durable: written in order, kept until they are, and
// written again where a connection ended before. When full the newest are refused. Memory: grows with
// what waits, to twice `max_bytes` at most, and is kept. One thread.
//
// A daemon takes the lines of a connection in their order; so what it has folded is the queue's beginning,
// and one position says what goes next.
#pragma once

#include <metricsd/ipc/message.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::client {

class BatchQueue {
 public:
  explicit BatchQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  struct Batch {
    std::uint32_t stream = 0;
    std::uint64_t last_seq = 0;
    std::uint64_t first_seq = 0;
    std::uint64_t operations = 0;  // rows that are one
    std::size_t bytes = 0;         // of its line; set by push()
  };

  // False where there is no room. Throws std::bad_alloc where there is no memory, and has taken nothing then.
  [[nodiscard]] bool push(Batch batch, std::string_view line);

  // Whether push() would take a line of so many bytes.
  [[nodiscard]] bool has_room(std::size_t bytes) const;

  // What to write next: all that was not written on this connection, or only the rest of the line that was
  // begun. Valid until the next call of another function.
  [[nodiscard]] std::string_view unsent() const;
  [[nodiscard]] std::string_view begun_line() const;
  // `size` bytes of unsent() were written.
  void consume(std::size_t size);
  [[nodiscard]] bool at_line_start() const { return sent_of_line_ == 0; }
  [[nodiscard]] bool all_sent() const { return sent_ == batches_.size(); }

  // Forgets, from the front on, what is durable.
  void release(const std::vector<ipc::StreamProgress>& progress);
  // A new connection, to a daemon that has come so far: the next to write is the first that it has not
  // folded.
  void begin_connection(const std::vector<ipc::StreamProgress>& progress);
  // The first batch and its line, for who delivers it by other means; gone with pop_front().
  [[nodiscard]] const Batch& front() const { return batches_.front(); }
  [[nodiscard]] std::string_view front_line() const;
  void pop_front();
  // Forgets all; returns how many operations that were.
  std::uint64_t clear();

  [[nodiscard]] bool empty() const { return batches_.empty(); }
  // Of the oldest batch of a stream that waits here.
  [[nodiscard]] std::optional<std::uint64_t> first_seq_of(std::uint32_t stream) const;

 private:
  void reclaim();
  void make_room(std::size_t bytes);

  std::size_t max_bytes_;
  std::deque<Batch> batches_;
  std::string lines_;             // of the batches, from start_ on
  std::size_t start_ = 0;         // of the first batch
  std::size_t sent_ = 0;          // batches wholly written
  std::size_t sent_bytes_ = 0;    // of their lines
  std::size_t sent_of_line_ = 0;  // of the one after them
};

}  // namespace metricsd::client
