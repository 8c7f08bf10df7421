#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/statistics/packed_buckets.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace metricsd {
namespace {

constexpr std::int64_t kNarrowSpan = std::numeric_limits<std::uint16_t>::max();

constexpr unsigned kLowBits = 8;

std::uint64_t rest_of(std::uint64_t count) {
  return count >> kLowBits;
}

std::uint8_t width_of(std::uint64_t rest) {
  if (rest == 0) return 0;
  if (rest <= std::numeric_limits<std::uint8_t>::max()) return sizeof(std::uint8_t);
  if (rest <= std::numeric_limits<std::uint16_t>::max()) return sizeof(std::uint16_t);
  if (rest <= std::numeric_limits<std::uint32_t>::max()) return sizeof(std::uint32_t);
  return sizeof(std::uint64_t);
}

std::uint32_t capacity_for(std::size_t size) {
  return static_cast<std::uint32_t>((size + 7) / 8 * 8);
}

// Saved: two widths in a byte, of the indices' steps and of the rest.
constexpr unsigned kWidthBits = 4;
constexpr unsigned kWidthMask = (1U << kWidthBits) - 1;
// Further than any two indices lie apart.
constexpr std::uint64_t kSteps = std::uint64_t{1} << 33;

// Calls it with a number of that width; not where there is none.
template <class Visit>
bool with_width(std::uint8_t width, const Visit& visit) {
  switch (width) {
    case sizeof(std::uint8_t): visit(std::uint8_t{}); return true;
    case sizeof(std::uint16_t): visit(std::uint16_t{}); return true;
    case sizeof(std::uint32_t): visit(std::uint32_t{}); return true;
    case sizeof(std::uint64_t): visit(std::uint64_t{}); return true;
    default: return width == 0;
  }
}

// Calls it with memory for some of `size` numbers, and which the first is, until all had their turn.
template <class T, class Visit>
void in_chunks(std::size_t size, const Visit& visit) {
  std::array<T, 256> chunk;
  for (std::size_t from = 0; from < size; from += chunk.size()) {
    visit(std::span<T>(chunk).first(std::min(chunk.size(), size - from)), from);
  }
}

// Calls it with each number's place and value; nothing is there of width 0.
template <class Visit>
void load_column(StateReader& in, std::uint8_t width, std::size_t size, const Visit& visit) {
  const bool is_width = with_width(width, [&]<class T>(T) {
    in_chunks<T>(size, [&](std::span<T> values, std::size_t from) {
      in.column(values);
      for (std::size_t i = 0; i < values.size() && !in.failed(); ++i) visit(from + i, values[i]);
    });
  });
  if (!is_width) in.fail();
}

// What is written over at once.
std::unique_ptr<std::byte[]> block_of(std::size_t bytes) {
  return bytes == 0 ? nullptr : std::make_unique_for_overwrite<std::byte[]>(bytes);
}

}  // namespace

// With room on both sides, where there is room: neighbours come later.
void PackedBuckets::Layout::cover(std::int32_t first, std::int32_t last) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
  const std::int64_t room = kNarrowSpan - (std::int64_t{last} - first);
  offset_width = room >= 0 ? sizeof(std::uint16_t) : sizeof(std::uint32_t);
  base = static_cast<std::int32_t>(room >= 0 ? std::max(first - room / 2, kLeast) : kLeast);
}

bool PackedBuckets::Layout::covers(std::int32_t index) const {
  const std::int64_t distance = std::int64_t{index} - base;
  return distance >= 0 && (distance <= kNarrowSpan || offset_width == sizeof(std::uint32_t));
}

PackedBuckets::PackedBuckets(std::span<const Bucket> buckets) {
  if (buckets.empty()) return;
  std::uint64_t bits = 0;
  for (const Bucket& bucket : buckets) bits |= bucket.count;
  Layout layout;
  layout.cover(buckets.front().index, buckets.back().index);
  layout.rest_width = width_of(rest_of(bits));
  layout.capacity = capacity_for(buckets.size());
  pack(layout, buckets);
}

PackedBuckets::PackedBuckets(const PackedBuckets& other) : layout_(other.layout_), size_(other.size_) {
  layout_.capacity = capacity_for(size_);
  memory_ = block_of(layout_.bytes());
  const auto copy = [&](std::size_t to, std::size_t from, std::size_t width) {
    if (width > 0) std::memcpy(memory_.get() + to, other.memory_.get() + from, size_ * width);
  };
  if (empty()) return;
  copy(0, 0, layout_.offset_width);
  copy(layout_.low_begin(), other.layout_.low_begin(), sizeof(std::uint8_t));
  copy(layout_.rest_begin(), other.layout_.rest_begin(), layout_.rest_width);
}

PackedBuckets::PackedBuckets(PackedBuckets&& other) noexcept
    : memory_(std::move(other.memory_)),
      layout_(std::exchange(other.layout_, {})),
      size_(std::exchange(other.size_, 0)) {}

PackedBuckets& PackedBuckets::operator=(PackedBuckets other) noexcept {
  memory_.swap(other.memory_);
  std::swap(layout_, other.layout_);
  std::swap(size_, other.size_);
  return *this;
}

// Calls it with the column, of the type it has.
template <class Visit>
void PackedBuckets::with_offsets(const Visit& visit) const {
  if (layout_.offset_width == sizeof(std::uint16_t)) {
    visit(column<std::uint16_t>(0));
  } else {
    visit(column<std::uint32_t>(0));
  }
}

// The same; not where there is no such column.
template <class Visit>
void PackedBuckets::with_rest(const Visit& visit) const {
  const std::size_t begin = layout_.rest_begin();
  switch (layout_.rest_width) {
    case sizeof(std::uint8_t): return visit(column<std::uint8_t>(begin));
    case sizeof(std::uint16_t): return visit(column<std::uint16_t>(begin));
    case sizeof(std::uint32_t): return visit(column<std::uint32_t>(begin));
    case sizeof(std::uint64_t): return visit(column<std::uint64_t>(begin));
    default: return;
  }
}

std::vector<Bucket> PackedBuckets::unpacked() const {
  std::vector<Bucket> buckets(size_);
  const auto* const low = column<std::uint8_t>(layout_.low_begin());
  with_offsets([&](const auto* offsets) {
    for (std::size_t at = 0; at < size_; ++at) buckets[at] = {index_of(offsets[at]), low[at]};
  });
  with_rest([&](const auto* rest) {
    for (std::size_t at = 0; at < size_; ++at) buckets[at].count |= std::uint64_t{rest[at]} << kLowBits;
  });
  return buckets;
}

// Writes them down anew; `layout` has room for them.
void PackedBuckets::pack(const Layout& layout, std::span<const Bucket> buckets) {
  memory_ = block_of(layout.bytes());
  layout_ = layout;
  size_ = static_cast<std::uint32_t>(buckets.size());
  auto* const low = column<std::uint8_t>(layout_.low_begin());
  with_offsets([&](auto* offsets) {
    for (std::size_t at = 0; at < size_; ++at) {
      offsets[at] = static_cast<std::decay_t<decltype(*offsets)>>(distance(buckets[at].index));
      low[at] = static_cast<std::uint8_t>(buckets[at].count);
    }
  });
  with_rest([&](auto* rest) {
    for (std::size_t at = 0; at < size_; ++at)
      rest[at] = static_cast<std::decay_t<decltype(*rest)>>(rest_of(buckets[at].count));
  });
}

// The buckets in use mostly have no gaps between them: then it is known at once, and the search, which a
// processor cannot predict, is spared.
std::size_t PackedBuckets::position_of(std::int32_t index) const {
  if (empty() || index < layout_.base) return 0;
  const std::int64_t without_gaps = std::int64_t{index} - index_at(0);
  if (without_gaps >= 0 && holds(static_cast<std::size_t>(without_gaps), index))
    return static_cast<std::size_t>(without_gaps);
  std::size_t at = 0;
  with_offsets([&, wanted = distance(index)](const auto* offsets) {
    at = static_cast<std::size_t>(std::lower_bound(offsets, offsets + size_, wanted) - offsets);
  });
  return at;
}

void PackedBuckets::add(std::size_t at, std::uint64_t times) {
  std::uint8_t& low = column<std::uint8_t>(layout_.low_begin())[at];
  const std::uint64_t sum = low + (times & std::numeric_limits<std::uint8_t>::max());
  low = static_cast<std::uint8_t>(sum);
  if (const std::uint64_t more = rest_of(times) + rest_of(sum); more > 0) add_to_rest(at, more);
}

void PackedBuckets::add_to_rest(std::size_t at, std::uint64_t more) {
  const std::uint64_t sum = rest_of(count_at(at)) + more;
  if (width_of(sum) > layout_.rest_width) {
    Layout wider = layout_;
    wider.rest_width = width_of(sum);
    pack(wider, unpacked());
  }
  with_rest([&](auto* rest) { rest[at] = static_cast<std::decay_t<decltype(*rest)>>(sum); });
}

void PackedBuckets::insert(std::size_t at, const Bucket& bucket, std::size_t most) {
  Layout layout = layout_;
  if (size_ == layout_.capacity) layout.capacity = grown_capacity(most);
  if (empty()) {
    layout.cover(bucket.index, bucket.index);
  } else if (!layout.covers(bucket.index)) {
    layout.cover(std::min(bucket.index, index_at(0)), std::max(bucket.index, index_at(size_ - 1)));
  }
  if (layout != layout_) pack(layout, unpacked());
  open_gap(0, layout_.offset_width, at);
  open_gap(layout_.low_begin(), sizeof(std::uint8_t), at);
  open_gap(layout_.rest_begin(), layout_.rest_width, at);
  ++size_;
  with_offsets([&](auto* offsets) {
    offsets[at] = static_cast<std::decay_t<decltype(*offsets)>>(distance(bucket.index));
  });
  column<std::uint8_t>(layout_.low_begin())[at] = 0;
  with_rest([at](auto* rest) { rest[at] = 0; });
  add(at, bucket.count);
}

// Doubling would leave most histograms half empty.
std::uint32_t PackedBuckets::grown_capacity(std::size_t most) const {
  const std::size_t size = size_;
  const std::size_t more = std::clamp<std::size_t>(size / 4, 4, 1024);
  return capacity_for(std::min(size + more, std::max(size + 1, most)));
}

// In the column that starts at `begin`.
void PackedBuckets::open_gap(std::size_t begin, std::size_t width, std::size_t at) {
  std::byte* const from = memory_.get() + begin + at * width;
  std::memmove(from + width, from, (size_ - at) * width);
}

std::int32_t PackedBuckets::index_at(std::size_t at) const {
  return index_of(layout_.offset_width == sizeof(std::uint16_t) ? column<std::uint16_t>(0)[at]
                                                                : column<std::uint32_t>(0)[at]);
}

std::uint64_t PackedBuckets::count_at(std::size_t at) const {
  std::uint64_t count = column<std::uint8_t>(layout_.low_begin())[at];
  with_rest([&](const auto* rest) { count |= std::uint64_t{rest[at]} << kLowBits; });
  return count;
}

void PackedBuckets::save(StateWriter& out) const {
  out.u64(size_);
  if (empty()) return;
  out.i64(index_at(0));
  with_offsets([&](const auto* offsets) {
    std::uint32_t bits = 0;
    for (std::size_t at = 1; at < size_; ++at) bits |= std::uint32_t{offsets[at]} - offsets[at - 1];
    const std::uint8_t step_width = width_of(bits);
    out.u8(static_cast<std::uint8_t>(step_width << kWidthBits | layout_.rest_width));
    with_width(step_width, [&]<class T>(T) {
      in_chunks<T>(size_ - 1, [&](std::span<T> steps, std::size_t from) {
        for (std::size_t i = 0; i < steps.size(); ++i)
          steps[i] = static_cast<T>(offsets[from + i + 1] - offsets[from + i]);
        out.column(std::span<const T>(steps));
      });
    });
  });
  out.column(std::span<const std::uint8_t>(column<std::uint8_t>(layout_.low_begin()), size_));
  with_rest([&]<class T>(const T* rest) { out.column(std::span<const T>(rest, size_)); });
}

std::vector<Bucket> PackedBuckets::load(StateReader& in, std::size_t most) {
  std::vector<Bucket> buckets(in.count(most, sizeof(std::uint8_t)));
  if (buckets.empty()) return buckets;
  std::int64_t index = in.i64();
  const std::uint8_t widths = in.u8();
  const bool has_steps = widths >> kWidthBits != 0 || buckets.size() == 1;
  if (!has_steps || index != static_cast<std::int32_t>(index)) in.fail();
  buckets.front().index = static_cast<std::int32_t>(index);
  load_column(in, static_cast<std::uint8_t>(widths >> kWidthBits), buckets.size() - 1,
              [&](std::size_t at, std::uint64_t step) {
                index += static_cast<std::int64_t>(std::min<std::uint64_t>(step, kSteps));
                if (step == 0 || index != static_cast<std::int32_t>(index)) in.fail();
                buckets[at + 1].index = static_cast<std::int32_t>(index);
              });
  load_column(in, sizeof(std::uint8_t), buckets.size(),
              [&](std::size_t at, std::uint64_t low) { buckets[at].count = low; });
  load_column(in, widths & kWidthMask, buckets.size(), [&](std::size_t at, std::uint64_t rest) {
    if (rest_of(rest << kLowBits) != rest) in.fail();
    buckets[at].count |= rest << kLowBits;
  });
  if (in.failed()) buckets.clear();
  return buckets;
}

bool PackedBuckets::operator==(const PackedBuckets& other) const {
  if (size_ != other.size_) return false;
  for (std::size_t at = 0; at < size_; ++at) {
    if ((*this)[at] != other[at]) return false;
  }
  return true;
}

}  // namespace metricsd
