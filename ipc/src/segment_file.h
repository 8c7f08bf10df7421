// The bytes of a file that may change or shrink while it is read: by pread() alone.
#pragma once

#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace metricsd::ipc {

class SegmentFile {
 public:
  // `fd` stays the caller's. Errors: endpoint_unusable for what is no regular file of a file system whose
  // reads come to an end (one that a process serves may let its readers wait for ever); the system's.
  [[nodiscard]] static Result<SegmentFile> of(int fd);

  // All of `out`. Errors: corrupt_state where the file ends before; the system's.
  [[nodiscard]] Result<> read(std::uint64_t offset, std::span<std::byte> out) const;

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  SegmentFile(int fd, std::uint64_t size) : fd_(fd), size_(size) {}

  int fd_;
  std::uint64_t size_;  // when it was opened
};

// The number that lies at `offset` of bytes that hold it.
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] T load(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.subspan(offset, sizeof value).data(), sizeof value);
  return value;
}

}  // namespace metricsd::ipc
