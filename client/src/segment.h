// The segment of one collector (ipc/segment_layout.h): where its rings, its dictionary and its counts live.
//
// The file is a memfd whose length is set once, large and sparse; what a block needs is allocated before it
// is mapped, so that a full memory is an error here and never a SIGBUS there, and growing never meets a file
// size limit (whose signal would end the workload). Where a limit forbids the length, or there is no memfd,
// blocks are shared memory without a file: all works as before, and dies with the process.
//
// A forked child has none of it: it finds the descriptor closed and no mappings (MADV_DONTFORK). It must not
// touch them.
#pragma once

#include "fork_guard.h"

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

namespace metricsd::client {

// Memory of a segment, mapped for its life.
class SegmentMapping {
 public:
  SegmentMapping() = default;
  SegmentMapping(std::byte* address, std::size_t bytes) noexcept;
  SegmentMapping(SegmentMapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_), process_(other.process_) {}
  SegmentMapping& operator=(SegmentMapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    std::swap(process_, other.process_);
    return *this;
  }
  ~SegmentMapping();

  [[nodiscard]] std::byte* address() const noexcept { return address_; }

 private:
  std::byte* address_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t process_ = 0;  // the fork generation that has it: another's address may hold something else
};

class Segment {
 public:
  // Throws std::bad_alloc.
  explicit Segment(std::string_view client_id);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] ipc::SegmentHeader& header() noexcept { return *header_; }
  // Before the first record.
  void set_run(std::string_view run_id) noexcept;

  // A ring's block with `capacity` bytes of records behind its first page, and the same bytes once more
  // behind those. Any thread; its memory is there, but not yet in the page table. Throws std::bad_alloc.
  [[nodiscard]] SegmentMapping add_ring(std::uint32_t stream, std::size_t capacity);
  // Any thread. Throws std::bad_alloc.
  [[nodiscard]] SegmentMapping add_dictionary(std::uint32_t number, std::size_t bytes);

  [[nodiscard]] static std::size_t page_bytes() noexcept;
  // -1 where it has no file.
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }

 private:
  // `bytes` from `end_` on, the last `mirrored` of them mapped twice. Advances nothing.
  [[nodiscard]] SegmentMapping map(std::size_t bytes, std::size_t mirrored);
  void publish(ipc::BlockHeader& block, ipc::BlockKind kind, std::uint32_t number,
               std::size_t bytes) noexcept;

  UniqueFd file_;
  fork_guard::ClosedInChild closed_in_child_;
  std::mutex growing_;
  std::size_t end_ = 0;  // guarded by growing_
  SegmentMapping header_mapping_;
  ipc::SegmentHeader* header_ = nullptr;
};

}  // namespace metricsd::client
