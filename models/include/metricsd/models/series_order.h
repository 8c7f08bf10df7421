// In which order a family's series are shown: found once and remembered, since it changes only when series
// come or go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace metricsd {

// Shared by a family and its images. Any thread; the family's own never asks, so that it never sorts.
class SeriesOrder {
 public:
  using Permutation = std::shared_ptr<const std::vector<std::uint32_t>>;

  using KeyAt = std::function<std::string_view(std::uint32_t)>;

  // The places 0 to `size` - 1, ordered by the keys there. As long as `layout` is the same, the keys that
  // were there before are still, and new ones have come behind them.
  [[nodiscard]] Permutation of(std::uint64_t layout, std::size_t size, const KeyAt& key_at);

 private:
  std::mutex mutex_;
  std::uint64_t layout_ = 0;
  Permutation known_ = std::make_shared<const std::vector<std::uint32_t>>();
};

}  // namespace metricsd
