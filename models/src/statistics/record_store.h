// The figures of any number of operations in bounded memory, to be read again and again, column by column.
//
// Records gather in memory. When that is full they are put in order and become a chunk of a temporary file:
// one column after the other, so that a pass over one figure reads nothing else. Within a chunk the rows of
// one group and outcome are a slice, in the order of their start. seal() makes the last chunk, which stays in
// memory if it is the only one; then, too, its columns are contiguous.
#pragma once

#include "column_file.h"
#include "record.h"
#include "record_order.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/statistics/exact_selection.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace metricsd {

// How many rows have a value in a column.
enum class Presence : std::uint8_t { none, some, all };

// Rows [begin, end) of one chunk, all of one slice.
struct Extent {
  std::uint32_t chunk = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::array<Presence, kColumns> presence{};  // in the slice: what is `some` there may be none or all here

  [[nodiscard]] std::uint32_t rows() const { return end - begin; }
  [[nodiscard]] Presence presence_of(Column column) const {
    return presence[static_cast<std::size_t>(column)];
  }
};

// The rows of one group and outcome in one chunk, by start; those without one come last.
struct Slice {
  std::uint32_t group = 0;
  bool success = false;
  Extent extent;
};

// One thread.
class RecordStore {
 public:
  RecordStore(std::size_t memory_bytes, std::filesystem::path spill_directory);

  // Errors are those of the temporary file; then the record was not taken.
  [[nodiscard]] Result<> add(const Record& record) {
    if (records_.size() == records_.capacity()) {
      if (Result<> made = make_room(); !made) return made;
    }
    records_.push_back(record);
    return {};
  }

  // Ends adding; what follows is for a sealed store.
  [[nodiscard]] Result<> seal();
  // By group; of a group those of success last.
  [[nodiscard]] std::span<const Slice> slices() const { return slices_; }
  // The values of a column, absent ones left out, in the order of rows.
  [[nodiscard]] Result<> read(Column column, const Extent& extent, const ValueVisitor& visit) const;

 private:
  Result<> make_room();
  Result<> spill();
  void arrange_in_memory();
  void add_slices(std::uint32_t chunk);
  [[nodiscard]] std::size_t chunks_in_file() const { return file_ ? file_->chunks() : 0; }
  [[nodiscard]] std::span<const std::uint64_t> in_memory(Column column, const Extent& extent) const;

  std::size_t capacity_;  // records in memory
  std::filesystem::path spill_directory_;
  std::vector<Record> records_;  // not yet in a chunk
  RecordOrder order_;
  std::optional<ColumnFile> file_;      // from the first spill on
  std::vector<std::uint64_t> columns_;  // the chunk that stays in memory, one column after the other
  std::vector<Slice> slices_;
};

}  // namespace metricsd
