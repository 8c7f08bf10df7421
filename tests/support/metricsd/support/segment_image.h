// A client's segment (ipc/segment_layout.h), put together byte by byte: also one that no client would leave.
#pragma once

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/unique_fd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::support {

class SegmentImage {
 public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::string_view kClient = "0123456789abcdef0123456789abcdef";

  struct RingOptions {
    std::uint32_t stream = 0;
    std::size_t capacity = kPage;
    std::vector<std::string> records{};  // those from the file's cursor on
    std::uint64_t start = 0;             // the file's cursor, a multiple of 8
    std::uint64_t written = 0;           // records before it
    std::size_t taken = 0;               // of `records`, by the queue
    std::uint64_t sequence = 0;          // of the last of those
  };
  struct QueueLine {
    std::uint32_t stream = 0;
    std::uint64_t first_seq = 1;
    std::uint64_t last_seq = 1;
    std::string line{};
  };

  SegmentImage();

  // A record without a handle, of a successful operation that took `duration_ns`.
  [[nodiscard]] static std::string record(std::string_view operation_type,
                                          std::int64_t duration_ns = 1'000'000, std::uint64_t bytes = 0,
                                          std::string_view operation_id = {});
  // One with a handle.
  [[nodiscard]] static std::string record(std::uint32_t handle, std::int64_t duration_ns);
  // A batch of uploads of 1 ms.
  [[nodiscard]] static QueueLine batch(std::uint32_t stream, std::uint64_t first_seq, std::uint64_t count);

  // Each adds a block and returns its place.
  std::size_t add_ring(const RingOptions& ring);
  // Handles 0, 1, ...
  std::size_t add_dictionary(const std::vector<std::array<std::string, 3>>& names);
  std::size_t add_queue(std::uint64_t order, const std::vector<QueueLine>& lines);
  std::size_t add_run(const std::array<std::string, ipc::kRunTexts>& texts);
  std::size_t add_definitions(std::string_view lines);
  std::size_t add_append(ipc::AppendState state, std::uint64_t file_bytes, std::string_view text,
                         const std::vector<ipc::AppendSpan>& spans = {});

  void set_loss(std::size_t index, std::string_view sink, std::string_view cause, std::uint64_t operations);
  void set_store(std::string_view store_id, bool confirmed);

  // The struct at `offset`, to be changed. Valid until a block is added.
  template <class T>
  [[nodiscard]] T& at(std::size_t offset) {
    return *reinterpret_cast<T*>(bytes_.data() + offset);
  }
  [[nodiscard]] ipc::SegmentHeader& header() { return at<ipc::SegmentHeader>(0); }
  [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }

  // As a file without a name; with one.
  [[nodiscard]] UniqueFd file() const;
  void write(const std::string& path) const;

 private:
  std::size_t add_block(ipc::BlockKind kind, std::uint32_t number, std::size_t bytes);
  void put(std::size_t offset, std::string_view bytes);

  std::vector<std::byte> bytes_;
  std::array<std::uint32_t, 8> made_{};  // blocks of each kind
};

}  // namespace metricsd::support
