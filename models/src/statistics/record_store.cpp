#include "record_store.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace metricsd {
namespace {

std::size_t records_in(std::size_t memory_bytes) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();  // extents count in 32 bits
  return std::clamp<std::size_t>(memory_bytes / sizeof(Record), 1, kMost);
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
  if (chunks_in_file() == 0) {
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
    Result<ColumnFile> created = ColumnFile::create(spill_directory_);
    if (!created) return created.error();
    file_ = *std::move(created);
  }
  const auto chunk = static_cast<std::uint32_t>(file_->chunks());
  if (Result<> written = file_->write(records_, order_.of(records_)); !written) return written;
  add_slices(chunk);
  records_.clear();
  return {};
}

void RecordStore::arrange_in_memory() {
  const auto order = order_.of(records_);
  add_slices(0);
  columns_.resize(kColumns * order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Record& record = records_[order[i].row];
    for (std::size_t column = 0; column < kColumns; ++column) {
      columns_[column * order.size() + i] = record.columns[column];
    }
  }
}

// The slices of the records in memory, as those of a chunk.
void RecordStore::add_slices(std::uint32_t chunk) {
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
  extent.chunk = chunk;
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

std::span<const std::uint64_t> RecordStore::in_memory(Column column, const Extent& extent) const {
  const std::size_t rows = columns_.size() / kColumns;
  return std::span(columns_).subspan(static_cast<std::size_t>(column) * rows + extent.begin, extent.rows());
}

Result<> RecordStore::read(Column column, const Extent& extent, const ValueVisitor& visit) const {
  const Presence presence = extent.presence_of(column);
  if (presence == Presence::none) return {};
  const bool is_in_file = extent.chunk < chunks_in_file();
  if (!is_in_file && presence == Presence::all) {
    visit(in_memory(column, extent));
    return {};
  }
  std::array<std::uint64_t, ColumnFile::kBlock> block;
  for (std::uint32_t row = 0; row < extent.rows();) {
    const auto values = std::span(block).first(std::min<std::size_t>(block.size(), extent.rows() - row));
    if (is_in_file) {
      const Result<> read = file_->read(extent.chunk, column, extent.begin + row, values);
      if (!read) return read;
    } else {
      std::copy_n(in_memory(column, extent).begin() + row, values.size(), values.begin());
    }
    const auto end =
        presence == Presence::all ? values.end() : std::remove(values.begin(), values.end(), kAbsent);
    visit({values.begin(), end});
    row += static_cast<std::uint32_t>(values.size());
  }
  return {};
}

}  // namespace metricsd
