// What bound records leave out: operation type, workload type and driver, by handle. Kept in the segment's
// dictionary for who reads it later, and here for the drainer.
//
// Handles are never given back. The same texts get the same handle, and there is a bound: a workload that
// binds a new text for each object would otherwise grow for ever. Beyond it, and where a type breaks its
// rule, the handle is one whose records are no operations; they are counted as such.
#pragma once

#include "segment.h"

#include <metricsd/ipc/record_names.h>
#include <metricsd/models/limits.h>

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

class Handles : public ipc::RecordNameSource {
 public:
  static constexpr std::uint32_t kInvalid = 1;  // of what could not be bound
  static constexpr std::size_t kMost = limits::kSegmentHandles;

  // Throws std::bad_alloc.
  explicit Handles(Segment& segment);
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  // Any thread.
  [[nodiscard]] std::uint32_t bind(std::string_view operation_type, std::string_view workload_type,
                                   std::string_view driver) noexcept;

  // Any thread.
  void refresh(std::vector<const ipc::RecordNames*>& entries) const override;
  // What was refused, a line each, for a person. Any thread.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  using Texts = std::tuple<std::string, std::string, std::string>;

  [[nodiscard]] std::uint32_t add(ipc::RecordNames entry);
  void write_to_segment(std::uint32_t handle, const ipc::RecordNames& entry);

  Segment& segment_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<ipc::RecordNames> entries_;
  std::map<Texts, std::uint32_t> by_texts_;
  std::vector<SegmentMapping> dictionary_;
  std::uint64_t refused_ = 0;
  std::uint64_t beyond_the_bound_ = 0;
};

}  // namespace metricsd::client
