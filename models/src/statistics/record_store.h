// The figures of any number of operations in bounded memory, to be read again and again, column by column.
//
// Records gather in memory. When that is full they are sorted and become a chunk of a temporary file: one
// column after the other, so that a pass over one figure reads nothing else. Within a chunk the rows of one
// group and outcome are a slice, in the order of their start; seal() makes the last chunk, which stays in
// memory if it is the only one.
#pragma once

#include "spill_file.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/statistics/exact_selection.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace metricsd {

enum class Column : std::uint8_t {
  start,       // see to_column()
  duration,    // nanoseconds
  throughput,  // the bits of a double >= 0, which are ordered as the doubles are
  size,        // bytes
  response,    // nanoseconds
};
inline constexpr std::size_t kColumns = 5;

// The value of a column where an operation has none.
inline constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

// A moment as a column has it: ordered as moments are.
[[nodiscard]] constexpr std::uint64_t to_column(std::int64_t ns) {
  return static_cast<std::uint64_t>(ns) ^ (std::uint64_t{1} << 63);
}
[[nodiscard]] constexpr std::int64_t moment_of(std::uint64_t column) {
  return static_cast<std::int64_t>(column ^ (std::uint64_t{1} << 63));
}

struct Record {
  std::uint32_t group = 0;
  bool success = false;
  std::array<std::uint64_t, kColumns> columns{kAbsent, kAbsent, kAbsent, kAbsent, kAbsent};

  [[nodiscard]] std::uint64_t& operator[](Column column) { return columns[static_cast<std::size_t>(column)]; }
  [[nodiscard]] std::uint64_t operator[](Column column) const {
    return columns[static_cast<std::size_t>(column)];
  }
};

// Rows [begin, end) of one chunk.
struct Extent {
  std::uint32_t chunk = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::uint32_t rows() const { return end - begin; }
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
  [[nodiscard]] Result<> add(const Record& record);

  // Ends adding; what follows is for a sealed store.
  [[nodiscard]] Result<> seal();
  // By group; of a group those of success last.
  [[nodiscard]] std::span<const Slice> slices() const { return slices_; }
  // The values of a column, absent ones left out, in the order of rows.
  [[nodiscard]] Result<> read(Column column, const Extent& extent, const ValueVisitor& visit) const;

 private:
  struct Chunk {
    std::uint64_t offset = 0;
    std::uint32_t rows = 0;
  };

  void sort_records();
  void add_slices();
  Result<> spill();
  Result<> write_column(Column column, std::uint64_t offset);
  Result<> read_rows(Column column, const Extent& extent, std::span<std::uint64_t> out) const;

  std::size_t capacity_;  // records in memory
  std::filesystem::path spill_directory_;
  std::vector<Record> records_;
  std::optional<SpillFile> file_;  // from the first spill on
  std::vector<Chunk> chunks_;      // in the file
  std::uint64_t file_size_ = 0;
  std::vector<Slice> slices_;
};

}  // namespace metricsd
