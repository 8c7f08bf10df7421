#include "record_store.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace metricsd {
namespace {

// Values read or written at once: few enough for the first-level cache, enough that system calls do not
// count.
constexpr std::size_t kBlock = 4096;
using Block = std::array<std::uint64_t, kBlock>;

constexpr std::uint64_t kValueBytes = sizeof(std::uint64_t);

std::size_t records_in(std::size_t memory_bytes) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();  // extents count in 32 bits
  return std::clamp<std::size_t>(memory_bytes / sizeof(Record), 1, kMost);
}

// Hands on the values that are there. Changes the block.
void visit_present(std::span<std::uint64_t> values, const ValueVisitor& visit) {
  const auto end = std::remove(values.begin(), values.end(), kAbsent);
  visit({values.begin(), end});
}

}  // namespace

RecordStore::RecordStore(std::size_t memory_bytes, std::filesystem::path spill_directory)
    : capacity_(records_in(memory_bytes)), spill_directory_(std::move(spill_directory)) {}

// Grows the memory by itself, so that the vector's own growth does not overshoot what is allowed.
Result<> RecordStore::make_room() {
  if (records_.size() >= capacity_) return spill();
  constexpr std::size_t kFew = 1024;
  records_.reserve(std::min(capacity_, std::max(kFew, records_.size() * 2)));
  return {};
}

Result<> RecordStore::seal() {
  if (chunks_.empty()) {
    arrange_in_memory();
  } else if (Result<> spilled = spill(); !spilled) {
    return spilled;
  }
  records_ = {};  // gives its memory back
  order_ = {};
  std::sort(slices_.begin(), slices_.end(), [](const Slice& a, const Slice& b) {
    return std::tuple(a.group, a.success, a.extent.chunk) < std::tuple(b.group, b.success, b.extent.chunk);
  });
  return {};
}

// Makes a chunk of the records in memory. After an error they are still there, and it may be tried again.
Result<> RecordStore::spill() {
  if (!file_) {
    Result<SpillFile> created = SpillFile::create(spill_directory_);
    if (!created) return created.error();
    file_ = std::move(*created);
  }
  const auto order = order_.of(records_);
  if (Result<> written = write_columns(order); !written) return written;
  add_slices();
  chunks_.push_back({file_size_, static_cast<std::uint32_t>(records_.size())});
  file_size_ += kColumns * records_.size() * kValueBytes;
  records_.clear();
  return {};
}

void RecordStore::arrange_in_memory() {
  const auto order = order_.of(records_);
  add_slices();
  columns_.resize(kColumns * order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Record& record = records_[order[i].row];
    for (std::size_t column = 0; column < kColumns; ++column) {
      columns_[column * order.size() + i] = record.columns[column];
    }
  }
}

// A block of each column at a time, so that every record is fetched once.
Result<> RecordStore::write_columns(std::span<const RecordOrder::Entry> order) {
  std::vector<Block> blocks(kColumns);
  for (std::size_t begin = 0; begin < order.size(); begin += kBlock) {
    const auto rows = order.subspan(begin, std::min(kBlock, order.size() - begin));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Record& record = records_[rows[i].row];
      for (std::size_t column = 0; column < kColumns; ++column) blocks[column][i] = record.columns[column];
    }
    for (std::size_t column = 0; column < kColumns; ++column) {
      const std::uint64_t row = column * order.size() + begin;
      const auto bytes = std::as_bytes(std::span(blocks[column]).first(rows.size()));
      if (Result<> written = file_->write_at(file_size_ + row * kValueBytes, bytes); !written) return written;
    }
  }
  return {};
}

// The slices of the records in memory, as those of the chunk that follows those in the file.
void RecordStore::add_slices() {
  struct Tally {
    std::uint32_t rows = 0;
    std::array<std::uint32_t, kColumns> present{};
  };
  std::vector<Tally> tallies;  // by Record::slice()
  for (const Record& record : records_) {
    if (record.slice() >= tallies.size()) tallies.resize(record.slice() + 1);
    Tally& tally = tallies[record.slice()];
    ++tally.rows;
    for (std::size_t i = 0; i < kColumns; ++i) tally.present[i] += record.columns[i] == kAbsent ? 0 : 1;
  }
  Extent extent;
  extent.chunk = static_cast<std::uint32_t>(chunks_.size());
  for (std::uint32_t slice = 0; slice < tallies.size(); ++slice) {
    const Tally& tally = tallies[slice];
    if (tally.rows == 0) continue;
    extent.begin = extent.end;
    extent.end += tally.rows;
    std::transform(tally.present.begin(), tally.present.end(), extent.presence.begin(),
                   [&](std::uint32_t present) {
                     if (present == 0) return Presence::none;
                     return present == tally.rows ? Presence::all : Presence::some;
                   });
    slices_.push_back({group_of(slice), is_success(slice), extent});
  }
}

Result<> RecordStore::read(Column column, const Extent& extent, const ValueVisitor& visit) const {
  const auto index = static_cast<std::size_t>(column);
  const Presence presence = extent.presence_of(column);
  if (presence == Presence::none) return {};
  if (extent.chunk < chunks_.size()) return read_from_file(column, extent, visit);
  std::span<const std::uint64_t> values =
      std::span(columns_).subspan(index * (columns_.size() / kColumns) + extent.begin, extent.rows());
  if (presence == Presence::all) {
    visit(values);
    return {};
  }
  Block block;
  for (; !values.empty(); values = values.subspan(std::min(kBlock, values.size()))) {
    const std::size_t rows = std::min(kBlock, values.size());
    std::copy_n(values.begin(), rows, block.begin());
    visit_present(std::span(block).first(rows), visit);
  }
  return {};
}

Result<> RecordStore::read_from_file(Column column, const Extent& extent, const ValueVisitor& visit) const {
  const auto index = static_cast<std::size_t>(column);
  const Chunk& chunk = chunks_[extent.chunk];
  Block block;
  for (std::uint32_t begin = extent.begin; begin < extent.end;) {
    const auto rows = std::min(static_cast<std::uint32_t>(kBlock), extent.end - begin);
    const auto values = std::span(block).first(rows);
    const std::uint64_t row = std::uint64_t{index} * chunk.rows + begin;
    if (Result<> read = file_->read_at(chunk.offset + row * kValueBytes, std::as_writable_bytes(values));
        !read)
      return read;
    if (extent.presence_of(column) == Presence::all) {
      visit(values);
    } else {
      visit_present(values, visit);
    }
    begin += rows;
  }
  return {};
}

}  // namespace metricsd
