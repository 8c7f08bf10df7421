// What bound records leave out: operation type, workload type and driver, by handle. Kept in the segment's
// dictionary for who reads it later, and here for the drainer.
//
// Handles are never given back. The same texts get the same handle, and there is a bound: a workload that
// binds a new text for each object would otherwise grow for ever. Beyond it, and where a type breaks its
// rule, the handle is one whose records are no operations; they are counted as such.
#pragma once

#include "segment.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace metricsd::client {

class Handles {
 public:
  struct Entry {
    std::string operation_type{};
    std::string workload_type{};  // empty: the run's
    std::string driver{};         // likewise
    bool valid = true;
  };
  static constexpr std::uint32_t kNone = 0;     // of a record that names all itself
  static constexpr std::uint32_t kInvalid = 1;  // of what could not be bound
  static constexpr std::size_t kMost = 65'536;

  // Throws std::bad_alloc.
  explicit Handles(Segment& segment);
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  // Any thread.
  [[nodiscard]] std::uint32_t bind(std::string_view operation_type, std::string_view workload_type,
                                   std::string_view driver) noexcept;

  // Brings `entries`, indexed by handle, up to date: they are only ever added. Throws std::bad_alloc.
  void refresh(std::vector<const Entry*>& entries) const;
  // What was refused, a line each, for a person. Any thread.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  using Texts = std::tuple<std::string, std::string, std::string>;

  [[nodiscard]] std::uint32_t add(Entry entry);
  void write_to_segment(std::uint32_t handle, const Entry& entry);

  Segment& segment_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<Entry> entries_;
  std::map<Texts, std::uint32_t> by_texts_;
  std::vector<SegmentMapping> dictionary_;
  std::uint64_t refused_ = 0;
  std::uint64_t beyond_the_bound_ = 0;
};

}  // namespace metricsd::client
