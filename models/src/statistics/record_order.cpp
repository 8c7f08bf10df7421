#include "record_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace metricsd {
namespace {

using Entry = RecordOrder::Entry;

// A digit of at most so many bits: 4,096 places to write to still fit the caches.
constexpr unsigned kDigitBits = 12;

// `to` becomes `from`, stably sorted by one digit of at most kDigitBits.
template <class DigitOf>
void sort_by_digit(std::span<const Entry> from, std::span<Entry> to, DigitOf digit_of) {
  std::array<std::uint32_t, std::size_t{1} << kDigitBits> places{};
  for (const Entry& entry : from) ++places[digit_of(entry)];
  std::uint32_t place = 0;
  for (std::uint32_t& count : places) place += std::exchange(count, place);
  for (const Entry& entry : from) to[places[digit_of(entry)]++] = entry;
}

// Sorts `entries` by a whole number of at most `most`, with `spare` as room. The result may be in either.
template <class NumberOf>
void sort_by(std::vector<Entry>& entries, std::vector<Entry>& spare, std::uint64_t most, NumberOf number_of) {
  const auto bits = static_cast<unsigned>(std::bit_width(most));
  const unsigned digits = (bits + kDigitBits - 1) / kDigitBits;
  if (digits == 0) return;
  const unsigned digit_bits = (bits + digits - 1) / digits;
  const std::uint64_t mask = (std::uint64_t{1} << digit_bits) - 1;
  for (unsigned shift = 0; shift < bits; shift += digit_bits) {
    sort_by_digit(entries, spare, [&](const Entry& entry) { return number_of(entry) >> shift & mask; });
    entries.swap(spare);
  }
}

struct Range {
  std::uint64_t min = kAbsent;
  std::uint64_t max = 0;
};

Range starts_of(std::span<const Record> records) {
  Range range;
  for (const Record& record : records) {
    const std::uint64_t start = record[Column::start];
    range.min = std::min(range.min, start);
    if (start != kAbsent) range.max = std::max(range.max, start);
  }
  return range;
}

}  // namespace

std::span<const Entry> RecordOrder::of(std::span<const Record> records) {
  const Range starts = starts_of(records);
  const std::uint64_t key_of_none = starts.max < starts.min ? 0 : starts.max - starts.min + 1;
  std::uint32_t last_slice = 0;
  entries_.resize(records.size());
  sorted_.resize(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    const std::uint64_t start = record[Column::start];
    Entry& entry = entries_[i];
    entry.key = start == kAbsent ? key_of_none : start - starts.min;
    entry.slice = record.slice();
    entry.row = static_cast<std::uint32_t>(i);
    last_slice = std::max(last_slice, entry.slice);
  }
  sort_by(entries_, sorted_, key_of_none, [](const Entry& entry) { return entry.key; });
  sort_by(entries_, sorted_, last_slice, [](const Entry& entry) { return std::uint64_t{entry.slice}; });
  return entries_;
}

}  // namespace metricsd
