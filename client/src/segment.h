// The segment of one collector (ipc/segment_layout.h): where its rings, its queue and its counts live.
//
// The file's length is set once, large and sparse; what a block needs is allocated before it is mapped, so
// that a full memory is an error here and never a SIGBUS there, and growing never meets a file size limit
// (whose signal would end the workload). Where a limit forbids the length, or there is no file to be had,
// blocks are shared memory without one: all works as before, and dies with the process.
//
// A forked child has none of it: it finds the descriptor closed and no mappings (MADV_DONTFORK). It must not
// touch them.
#pragma once

#include "fork_guard.h"
#include "owned_file.h"

#include <metricsd/ipc/segment_layout.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  // `directories` are tried in their order (owned_file.h). Throws std::bad_alloc.
  explicit Segment(std::string_view client_id, const std::vector<std::filesystem::path>& directories = {});
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] ipc::SegmentHeader& header() noexcept { return *header_; }

  // Before the first record; from then on the file has its name. Throws std::bad_alloc.
  using RunTexts = std::array<std::string_view, ipc::kRunTexts>;
  void set_run(std::string_view run_id, const RunTexts& texts);

  // A ring's block with `capacity` bytes of records behind its first page, and the same bytes once more
  // behind those. Any thread; its memory is there, but not yet in the page table. Throws std::bad_alloc.
  [[nodiscard]] SegmentMapping add_ring(std::uint32_t stream, std::size_t capacity);
  // Another block, rounded up to whole pages; all of it is 0 but for its header. Any thread. Throws
  // std::bad_alloc.
  template <class Block>
  [[nodiscard]] SegmentMapping add(ipc::BlockKind kind, std::uint32_t number, std::size_t bytes) {
    return add<Block>(kind, number, bytes, 0);
  }

  // Who it is to daemons. The background thread's.
  [[nodiscard]] std::string client_id() const;
  [[nodiscard]] std::string store_id() const;
  [[nodiscard]] bool is_confirmed() const noexcept { return identity().confirmed != 0; }
  // Another client from now on, which no store has heard of. Throws std::bad_alloc.
  void set_client(std::string_view client_id);
  void set_store(std::string_view store_id) noexcept;
  // The store keeps something of this client.
  void confirm() noexcept;

  [[nodiscard]] static std::size_t page_bytes() noexcept;
  // -1 where it has no file.
  [[nodiscard]] int descriptor() const noexcept { return file_.descriptor(); }
  // Where it lies for others to find; "" where it has no name.
  [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
  [[nodiscard]] const std::vector<std::string>& left_by_others() const noexcept {
    return file_.left_by_others();
  }
  // Nothing is left in it that anybody owes.
  void remove_name() noexcept { file_.remove_name(); }
  // What is left in it is for others to deliver.
  void leave() noexcept { file_.leave(); }

 private:
  template <class Block>
  [[nodiscard]] SegmentMapping add(ipc::BlockKind kind, std::uint32_t number, std::size_t bytes,
                                   std::size_t mirrored) {
    const std::size_t whole = (bytes + page_bytes() - 1) / page_bytes() * page_bytes();
    const std::lock_guard lock(growing_);
    SegmentMapping mapping = map(whole, mirrored);
    auto* block = ::new (mapping.address()) Block{};
    block->block = {kind, number, whole};
    end_ += whole;
    header_->end.store(end_, std::memory_order_release);
    return mapping;
  }
  // `bytes` from `end_` on, the last `mirrored` of them mapped twice. Advances nothing.
  [[nodiscard]] SegmentMapping map(std::size_t bytes, std::size_t mirrored);
  [[nodiscard]] const ipc::SegmentIdentity& identity() const noexcept;
  void set_identity(const ipc::SegmentIdentity& identity) noexcept;

  OwnedFile file_;
  std::mutex growing_;
  std::size_t end_ = 0;  // guarded by growing_
  SegmentMapping header_mapping_;
  ipc::SegmentHeader* header_ = nullptr;
  SegmentMapping run_;
};

}  // namespace metricsd::client
