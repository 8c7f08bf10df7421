// Chunks of records in a temporary file, column by column.
//
// A column of a chunk takes as many bytes a value as its largest value needs: none, where no record has one,
// 4 or 8. Most durations and sizes need 4; what is not written is not read either, again and again.
#pragma once

#include "record.h"
#include "record_order.h"
#include "spill_file.h"

#include <metricsd/models/errors.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

namespace metricsd {

// One thread.
class ColumnFile {
 public:
  // Values read or written at once: few enough for the first-level cache, enough that system calls do not
  // count.
  static constexpr std::size_t kBlock = 4096;

  // In a directory that exists.
  [[nodiscard]] static Result<ColumnFile> create(const std::filesystem::path& directory);

  // Appends a chunk: the records in that order. After an error the file is as it was.
  [[nodiscard]] Result<> write(std::span<const Record> records, std::span<const RecordOrder::Entry> order);
  [[nodiscard]] std::size_t chunks() const { return chunks_.size(); }

  // The values of a column in consecutive rows of a chunk, at most kBlock of them.
  [[nodiscard]] Result<> read(std::size_t chunk, Column column, std::uint32_t first_row,
                              std::span<std::uint64_t> out) const;

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t value_bytes = 0;
  };
  using Chunk = std::array<Place, kColumns>;
  using Block = std::array<std::uint64_t, kBlock>;

  explicit ColumnFile(SpillFile file) : file_(std::move(file)) {}

  [[nodiscard]] Chunk place(std::span<const Record> records) const;
  Result<> write_block(const Place& place, std::size_t first_row, std::span<const std::uint64_t> values);

  SpillFile file_;
  std::uint64_t size_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<Block> blocks_{kColumns};
};

}  // namespace metricsd
