#include <metricsd/models/key_pool.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>

namespace metricsd {

constexpr std::size_t KeyPool::kMaxSize = limits::kLabels * (limits::kLabelValue + 1);

// Few sizes for long texts: what was freed in one size is not used for another, so the sizes bound what lies
// idle.
KeyPool::Place KeyPool::place_for(std::size_t text_size) {
  static_assert(kMaxSize <= StoredKey::kSize);
  static_assert(sizeof(StoredKey) + kMaxSize <= kUnit * (kFineUnits << (kClasses - kFineUnits - 1)));
  const std::size_t units = (sizeof(StoredKey) + text_size + kUnit - 1) / kUnit;
  if (units <= kFineUnits) return {units - 1, units};
  const std::size_t rounded = std::bit_ceil(units);
  return {kFineUnits - 1 + static_cast<std::size_t>(std::countr_zero(rounded / kFineUnits)), rounded};
}

KeyPool::Id KeyPool::take(const Place& place) {
  Id& head = free_[place.size_class];
  if (head != kNone) {
    const Id id = head;
    std::memcpy(&head, &at(id), sizeof(head));
    return id;
  }
  if (used_units_ + place.units > kUnitsOfChunk) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunk));
    used_units_ = 0;
  }
  const std::size_t unit = (chunks_.size() - 1) * kUnitsOfChunk + used_units_;
  used_units_ += place.units;
  return static_cast<Id>(unit);
}

KeyPool::Id KeyPool::add(std::string_view text, bool is_overflow) {
  assert(text.size() <= kMaxSize);
  const Id id = take(place_for(text.size()));
  StoredKey* const key = new (&at(id)) StoredKey;
  key->size_ = static_cast<std::uint16_t>(text.size() | (is_overflow ? StoredKey::kOverflow : 0));
  key->holders_ = 0;
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(key) + sizeof(StoredKey));
  return id;
}

void KeyPool::remove(Id id) {
  static_assert(sizeof(StoredKey) == sizeof(Id));
  StoredKey& key = at(id);
  Id& head = free_[place_for(key.text().size()).size_class];
  std::memcpy(static_cast<void*>(&key), &head, sizeof(head));
  head = id;
}

StoredKey& KeyPool::at(Id id) {
  return *reinterpret_cast<StoredKey*>(chunks_[id / kUnitsOfChunk].get() + id % kUnitsOfChunk * kUnit);
}

const StoredKey& KeyPool::at(Id id) const {
  return *reinterpret_cast<const StoredKey*>(chunks_[id / kUnitsOfChunk].get() + id % kUnitsOfChunk * kUnit);
}

}  // namespace metricsd
