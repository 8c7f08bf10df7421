#include "record_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace metricsd {
namespace {

// Values read or written at once: few enough for the stack, enough that system calls do not count.
constexpr std::size_t kBlock = 4096;
using Block = std::array<std::uint64_t, kBlock>;

constexpr std::uint64_t kValueBytes = sizeof(std::uint64_t);

bool same_slice(const Record& a, const Record& b) {
  return a.group == b.group && a.success == b.success;
}

bool in_order(const Record& a, const Record& b) {
  return std::tuple(a.group, a.success, a[Column::start]) < std::tuple(b.group, b.success, b[Column::start]);
}

std::size_t records_in(std::size_t memory_bytes) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();  // extents count in 32 bits
  return std::clamp<std::size_t>(memory_bytes / sizeof(Record), 1, kMost);
}

}  // namespace

RecordStore::RecordStore(std::size_t memory_bytes, std::filesystem::path spill_directory)
    : capacity_(records_in(memory_bytes)), spill_directory_(std::move(spill_directory)) {}

Result<> RecordStore::add(const Record& record) {
  if (records_.size() == capacity_) {
    if (Result<> spilled = spill(); !spilled) return spilled;
  }
  // Grown here, so that the vector's own growth does not overshoot the memory allowed.
  if (records_.size() == records_.capacity()) {
    constexpr std::size_t kFew = 1024;
    records_.reserve(std::min(capacity_, std::max(kFew, records_.size() * 2)));
  }
  records_.push_back(record);
  return {};
}

Result<> RecordStore::seal() {
  if (!chunks_.empty()) {
    if (Result<> spilled = spill(); !spilled) return spilled;
    records_ = {};  // gives its memory back
  } else {
    sort_records();
    add_slices();
  }
  std::sort(slices_.begin(), slices_.end(), [](const Slice& a, const Slice& b) {
    return std::tuple(a.group, a.success, a.extent.chunk) < std::tuple(b.group, b.success, b.extent.chunk);
  });
  return {};
}

void RecordStore::sort_records() {
  std::sort(records_.begin(), records_.end(), in_order);
}

// The slices of the sorted records, as those of the chunk that follows those in the file.
void RecordStore::add_slices() {
  for (auto begin = records_.begin(); begin != records_.end();) {
    const auto end = std::find_if_not(begin, records_.end(),
                                      [&](const Record& record) { return same_slice(record, *begin); });
    const Extent extent{static_cast<std::uint32_t>(chunks_.size()),
                        static_cast<std::uint32_t>(begin - records_.begin()),
                        static_cast<std::uint32_t>(end - records_.begin())};
    slices_.push_back({begin->group, begin->success, extent});
    begin = end;
  }
}

// Makes a chunk of the records in memory. After an error they are still there, and it may be tried again.
Result<> RecordStore::spill() {
  if (!file_) {
    Result<SpillFile> created = SpillFile::create(spill_directory_);
    if (!created) return created.error();
    file_ = std::move(*created);
  }
  sort_records();
  const std::uint64_t column_bytes = records_.size() * kValueBytes;
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (Result<> written = write_column(static_cast<Column>(i), file_size_ + i * column_bytes); !written) {
      return written;
    }
  }
  add_slices();
  chunks_.push_back({file_size_, static_cast<std::uint32_t>(records_.size())});
  file_size_ += kColumns * column_bytes;
  records_.clear();
  return {};
}

Result<> RecordStore::write_column(Column column, std::uint64_t offset) {
  Block block;
  for (std::size_t begin = 0; begin < records_.size(); begin += kBlock) {
    const std::size_t rows = std::min(kBlock, records_.size() - begin);
    for (std::size_t i = 0; i < rows; ++i) block[i] = std::as_const(records_[begin + i])[column];
    const auto bytes = std::as_bytes(std::span(block).first(rows));
    if (Result<> written = file_->write_at(offset + begin * kValueBytes, bytes); !written) return written;
  }
  return {};
}

Result<> RecordStore::read(Column column, const Extent& extent, const ValueVisitor& visit) const {
  Block block;
  for (Extent rest = extent; rest.begin < rest.end;) {
    const auto rows = std::min(static_cast<std::uint32_t>(kBlock), rest.rows());
    const auto values = std::span(block).first(rows);
    if (Result<> read = read_rows(column, {rest.chunk, rest.begin, rest.begin + rows}, values); !read)
      return read;
    const auto present_end = std::remove(values.begin(), values.end(), kAbsent);
    visit({values.begin(), present_end});
    rest.begin += rows;
  }
  return {};
}

Result<> RecordStore::read_rows(Column column, const Extent& extent, std::span<std::uint64_t> out) const {
  if (extent.chunk == chunks_.size()) {  // the one in memory
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = records_[extent.begin + i][column];
    return {};
  }
  const Chunk& chunk = chunks_[extent.chunk];
  const std::uint64_t row = static_cast<std::uint64_t>(column) * chunk.rows + extent.begin;
  return file_->read_at(chunk.offset + row * kValueBytes, std::as_writable_bytes(out));
}

}  // namespace metricsd
