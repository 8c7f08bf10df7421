#include "segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

// The file's length from the start: the full-sized rings and some 60,000 small ones.
constexpr std::size_t kFileBytes = std::size_t{4} << 30;

UniqueFd make_file() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < kFileBytes) return {};
  UniqueFd file(::memfd_create("metricsd-segment", MFD_CLOEXEC));
  if (!file.valid() || ::ftruncate(file.get(), static_cast<off_t>(kFileBytes)) != 0) return {};
  return file;
}

bool allocate(int file, std::size_t offset, std::size_t bytes) {
  int result = 0;
  do {
    result = ::fallocate(file, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

bool map_at(std::byte* address, std::size_t bytes, int flags, int file, std::size_t offset) {
  return ::mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | flags, file,
                static_cast<off_t>(offset)) != MAP_FAILED;
}

// Shared memory seen from a second place: what mremap() does to a mapping whose old size is 0.
bool mirror(std::byte* from, std::size_t bytes, std::byte* to) {
  return ::mremap(from, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
}

}  // namespace

SegmentMapping::SegmentMapping(std::byte* address, std::size_t bytes) noexcept
    : address_(address), bytes_(bytes), process_(fork_guard::generation()) {}

SegmentMapping::~SegmentMapping() {
  if (address_ != nullptr && process_ == fork_guard::generation()) ::munmap(address_, bytes_);
}

Segment::Segment(std::string_view client_id) : file_(make_file()), closed_in_child_(file_.get()) {
  static_cast<void>(fork_guard::arm());
  const std::size_t page = page_bytes();
  header_mapping_ = map(page, 0);
  header_ = ::new (header_mapping_.address()) ipc::SegmentHeader{};
  header_->magic = ipc::kSegmentMagic;
  header_->version = ipc::kSegmentVersion;
  header_->page_bytes = static_cast<std::uint32_t>(page);
  header_->pid = static_cast<std::uint32_t>(::getpid());
  client_id.copy(header_->identities[0].client_id, sizeof header_->identities[0].client_id);
  end_ = page;
  header_->end.store(end_, std::memory_order_release);
}

void Segment::set_run(std::string_view run_id) noexcept {
  run_id.copy(header_->run_id, sizeof header_->run_id);
}

SegmentMapping Segment::add_ring(std::uint32_t stream, std::size_t capacity) {
  const std::size_t bytes = page_bytes() + capacity;
  const std::lock_guard lock(growing_);
  SegmentMapping mapping = map(bytes, capacity);
  auto* ring = ::new (mapping.address()) ipc::RingBlock{};
  ring->capacity = capacity;
  publish(ring->block, ipc::BlockKind::ring, stream, bytes);
  return mapping;
}

SegmentMapping Segment::add_dictionary(std::uint32_t number, std::size_t bytes) {
  const std::lock_guard lock(growing_);
  SegmentMapping mapping = map(bytes, 0);
  auto* dictionary = ::new (mapping.address()) ipc::DictionaryBlock{};
  publish(dictionary->block, ipc::BlockKind::dictionary, number, bytes);
  return mapping;
}

void Segment::publish(ipc::BlockHeader& block, ipc::BlockKind kind, std::uint32_t number,
                      std::size_t bytes) noexcept {
  block = {kind, number, bytes};
  end_ += bytes;
  header_->end.store(end_, std::memory_order_release);
}

SegmentMapping Segment::map(std::size_t bytes, std::size_t mirrored) {
  if (bytes + end_ > kFileBytes || (file_.valid() && !allocate(file_.get(), end_, bytes)))
    throw std::bad_alloc();
  void* place =
      ::mmap(nullptr, bytes + mirrored, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc();
  SegmentMapping mapping(static_cast<std::byte*>(place), bytes + mirrored);
  std::byte* const first = mapping.address();
  std::byte* const again = first + bytes;
  const bool mapped =
      file_.valid() ? map_at(first, bytes, 0, file_.get(), end_) &&
                          (mirrored == 0 || map_at(again, mirrored, 0, file_.get(), end_ + bytes - mirrored))
                    : map_at(first, bytes, MAP_ANONYMOUS, -1, 0) &&
                          (mirrored == 0 || mirror(again - mirrored, mirrored, again));
  if (!mapped) throw std::bad_alloc();
  // Where the system does not know it, a child has the mappings, and still never writes: see gate.h.
  static_cast<void>(::madvise(first, bytes + mirrored, MADV_DONTFORK));
  return mapping;
}

std::size_t Segment::page_bytes() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace metricsd::client
