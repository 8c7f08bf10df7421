#include "column_file.h"

#include <algorithm>
#include <limits>

namespace metricsd {
namespace {

// What stands for kAbsent in 4 bytes: its last 4.
using Narrow = std::uint32_t;
constexpr Narrow kNarrowAbsent = std::numeric_limits<Narrow>::max();
using NarrowBlock = std::array<Narrow, ColumnFile::kBlock>;

// `limit` is one more than the largest value, 0 where there is none.
std::uint64_t value_bytes_for(std::uint64_t limit) {
  if (limit == 0) return 0;
  return limit <= kNarrowAbsent ? sizeof(Narrow) : sizeof(std::uint64_t);
}

}  // namespace

Result<ColumnFile> ColumnFile::create(const std::filesystem::path& directory) {
  Result<SpillFile> file = SpillFile::create(directory);
  if (!file) return file.error();
  return ColumnFile(*std::move(file));
}

// Where a chunk of these records will stand.
ColumnFile::Chunk ColumnFile::place(std::span<const Record> records) const {
  std::array<std::uint64_t, kColumns> limits{};
  for (const Record& record : records) {
    for (std::size_t i = 0; i < kColumns; ++i) limits[i] = std::max(limits[i], record.columns[i] + 1);
  }
  Chunk chunk;
  std::uint64_t offset = size_;
  for (std::size_t i = 0; i < kColumns; ++i) {
    chunk[i] = {offset, value_bytes_for(limits[i])};
    offset += chunk[i].value_bytes * records.size();
  }
  return chunk;
}

// A block of each column at a time, so that every record is fetched once.
Result<> ColumnFile::write(std::span<const Record> records, std::span<const RecordOrder::Entry> order) {
  const Chunk chunk = place(records);
  for (std::size_t begin = 0; begin < order.size(); begin += kBlock) {
    const auto rows = order.subspan(begin, std::min(kBlock, order.size() - begin));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Record& record = records[rows[i].row];
      for (std::size_t column = 0; column < kColumns; ++column) blocks_[column][i] = record.columns[column];
    }
    for (std::size_t column = 0; column < kColumns; ++column) {
      const auto values = std::span<const std::uint64_t>(blocks_[column]).first(rows.size());
      if (Result<> written = write_block(chunk[column], begin, values); !written) return written;
    }
  }
  chunks_.push_back(chunk);
  size_ = chunk.back().offset + chunk.back().value_bytes * order.size();
  return {};
}

Result<> ColumnFile::write_block(const Place& place, std::size_t first_row,
                                 std::span<const std::uint64_t> values) {
  const std::uint64_t offset = place.offset + first_row * place.value_bytes;
  if (place.value_bytes == 0) return {};
  if (place.value_bytes == sizeof(std::uint64_t)) return file_.write_at(offset, std::as_bytes(values));
  NarrowBlock narrow;
  std::transform(values.begin(), values.end(), narrow.begin(),
                 [](std::uint64_t value) { return static_cast<Narrow>(value); });
  return file_.write_at(offset, std::as_bytes(std::span(narrow).first(values.size())));
}

Result<> ColumnFile::read(std::size_t chunk, Column column, std::uint32_t first_row,
                          std::span<std::uint64_t> out) const {
  const Place& place = chunks_[chunk][static_cast<std::size_t>(column)];
  const std::uint64_t offset = place.offset + first_row * place.value_bytes;
  if (place.value_bytes == sizeof(std::uint64_t)) {
    return file_.read_at(offset, std::as_writable_bytes(out));
  }
  if (place.value_bytes == 0) {
    std::fill(out.begin(), out.end(), kAbsent);
    return {};
  }
  NarrowBlock block;
  const auto narrow = std::span(block).first(out.size());
  if (Result<> read = file_.read_at(offset, std::as_writable_bytes(narrow)); !read) return read;
  std::transform(narrow.begin(), narrow.end(), out.begin(),
                 [](Narrow value) { return value == kNarrowAbsent ? kAbsent : value; });
  return {};
}

}  // namespace metricsd
