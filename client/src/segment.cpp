#include "segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

// The file's length from the start: the full-sized rings, some 40,000 small ones and the largest queue.
constexpr std::size_t kFileBytes = std::size_t{4} << 30;

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

template <std::size_t size>
std::string text_of(const char (&field)[size]) {
  return {field, ::strnlen(field, size)};
}

}  // namespace

SegmentMapping::SegmentMapping(std::byte* address, std::size_t bytes) noexcept
    : address_(address), bytes_(bytes), process_(fork_guard::generation()) {}

SegmentMapping::~SegmentMapping() {
  if (address_ != nullptr && process_ == fork_guard::generation()) ::munmap(address_, bytes_);
}

Segment::Segment(std::string_view client_id, const std::vector<std::filesystem::path>& directories)
    : file_(directories, kFileBytes) {
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

void Segment::set_run(std::string_view run_id, const RunTexts& texts) {
  run_id.copy(header_->run_id, sizeof header_->run_id);
  std::size_t bytes = sizeof(ipc::RunBlock);
  for (const std::string_view text : texts) bytes += text.size();
  run_ = add<ipc::RunBlock>(ipc::BlockKind::run, 0, bytes);
  auto* const block = reinterpret_cast<ipc::RunBlock*>(run_.address());
  auto* out = reinterpret_cast<char*>(run_.address() + sizeof *block);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    block->lengths[i] = static_cast<std::uint32_t>(texts[i].size());
    out += texts[i].copy(out, texts[i].size());
  }
  block->whole.store(1, std::memory_order_release);
  file_.set_name(client_id());
}

SegmentMapping Segment::add_ring(std::uint32_t stream, std::size_t capacity) {
  SegmentMapping mapping =
      add<ipc::RingBlock>(ipc::BlockKind::ring, stream, page_bytes() + capacity, capacity);
  reinterpret_cast<ipc::RingBlock*>(mapping.address())->capacity = capacity;
  return mapping;
}

const ipc::SegmentIdentity& Segment::identity() const noexcept {
  return header_->identities[header_->identity.load(std::memory_order_relaxed) & 1];
}

void Segment::set_identity(const ipc::SegmentIdentity& identity) noexcept {
  const std::uint32_t next = 1 - (header_->identity.load(std::memory_order_relaxed) & 1);
  header_->identities[next] = identity;
  header_->identity.store(next, std::memory_order_release);
}

std::string Segment::client_id() const {
  return text_of(identity().client_id);
}

std::string Segment::store_id() const {
  return text_of(identity().store_id);
}

void Segment::set_client(std::string_view client_id) {
  ipc::SegmentIdentity next{};
  client_id.copy(next.client_id, sizeof next.client_id);
  set_identity(next);
  if (!path().empty()) file_.set_name(client_id);
}

void Segment::set_store(std::string_view store_id) noexcept {
  ipc::SegmentIdentity next = identity();
  next.confirmed = 0;
  std::fill(std::begin(next.store_id), std::end(next.store_id), '\0');
  store_id.copy(next.store_id, sizeof next.store_id);
  set_identity(next);
}

void Segment::confirm() noexcept {
  if (is_confirmed()) return;
  ipc::SegmentIdentity next = identity();
  next.confirmed = 1;
  set_identity(next);
}

SegmentMapping Segment::map(std::size_t bytes, std::size_t mirrored) {
  const int file = descriptor();
  if (bytes + end_ > kFileBytes || (file != -1 && !allocate(file, end_, bytes))) throw std::bad_alloc();
  void* place =
      ::mmap(nullptr, bytes + mirrored, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc();
  SegmentMapping mapping(static_cast<std::byte*>(place), bytes + mirrored);
  std::byte* const first = mapping.address();
  std::byte* const again = first + bytes;
  const bool mapped = file != -1
                          ? map_at(first, bytes, 0, file, end_) &&
                                (mirrored == 0 || map_at(again, mirrored, 0, file, end_ + bytes - mirrored))
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
