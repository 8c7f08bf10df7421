#include <metricsd/models/labels.h>
#include <metricsd/models/series_order.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace metricsd {

SeriesOrder::Permutation SeriesOrder::of(std::uint64_t layout, std::size_t size, const KeyAt& key_at) {
  const std::lock_guard lock(mutex_);
  if (layout == layout_ && known_->size() == size) return known_;
  std::vector<std::uint32_t> order;
  if (layout == layout_ && known_->size() < size) order = *known_;
  const auto known = static_cast<std::ptrdiff_t>(order.size());
  order.resize(size);
  std::iota(order.begin() + known, order.end(), static_cast<std::uint32_t>(known));
  const auto before = [&key_at](std::uint32_t a, std::uint32_t b) {
    return comes_before(key_at(a), key_at(b));
  };
  std::sort(order.begin() + known, order.end(), before);
  std::inplace_merge(order.begin(), order.begin() + known, order.end(), before);
  layout_ = layout;
  known_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(order));
  return known_;
}

}  // namespace metricsd
