// The order in which a RecordStore lays its records down.
#pragma once

#include "record.h"

#include <cstdint>
#include <span>
#include <vector>

namespace metricsd {

// Sorts by radix, so that a record costs the same in any input: half a dozen passes over 16 bytes each. Keeps
// its memory from one use to the next: 32 bytes a record. One thread.
class RecordOrder {
 public:
  struct Entry {
    std::uint64_t key = 0;    // of the start
    std::uint32_t slice = 0;  // group and outcome, ordered as both are
    std::uint32_t row = 0;    // the record's place among those given
  };

  // By group; of a group those of success last; of these by start; those without one last. Valid until the
  // next call.
  [[nodiscard]] std::span<const Entry> of(std::span<const Record> records);

 private:
  std::vector<Entry> entries_;
  std::vector<Entry> sorted_;
};

}  // namespace metricsd
