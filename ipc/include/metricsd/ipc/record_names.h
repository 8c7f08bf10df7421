// What bound records leave out, by handle: operation type, workload type and driver. In the process that
// recorded them it is its table of handles, for who reads its segment the segment's dictionary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::ipc {

inline constexpr std::uint32_t kNoHandle = 0;  // of a record that names all itself

struct RecordNames {
  std::string operation_type{};
  std::string workload_type{};  // empty: the run's
  std::string driver{};         // likewise
  bool valid = true;

  // The driver is made clean; not valid where a type breaks its rule.
  [[nodiscard]] static RecordNames of(std::string_view operation_type, std::string_view workload_type,
                                      std::string_view driver);
};

class RecordNameSource {
 public:
  virtual ~RecordNameSource() = default;

  // Brings `entries`, indexed by handle, up to date: they are only ever added. Throws std::bad_alloc.
  virtual void refresh(std::vector<const RecordNames*>& entries) const = 0;
};

}  // namespace metricsd::ipc
