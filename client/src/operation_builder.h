// From records as callers wrote them to operations that every reader takes.
//
// Whatever a workload passes, what comes out obeys the contract of OperationMetric: text is repaired and cut,
// figures are held to their ranges, metadata that is no JSON object is left out. Only a type name that breaks
// its rule makes a record unusable, since it says what the operation was.
#pragma once

#include "record.h"

#include <metricsd/models/operation.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace metricsd::client {

// One thread.
class OperationBuilder {
 public:
  struct Defaults {
    std::string workload_type;
    std::string driver;
    std::string id_prefix;  // of the operation ids made here
  };

  explicit OperationBuilder(Defaults defaults) : defaults_(std::move(defaults)) {}

  // False for a record that can be no operation; `out` is then unspecified. `sequence` is the record's
  // ordinal in its stream: with the prefix and the stream it makes an id that no other record has.
  [[nodiscard]] bool build(const Record& record, std::uint32_t stream, std::uint64_t sequence,
                           OperationMetric& out);

  // What was changed so far, a line each, for a person.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  void set_figures(const Record& record, OperationMetric& out);
  // False where a time was out of range.
  [[nodiscard]] static bool set_times(const Record& record, OperationMetric& out);
  void set_texts(const Record& record, OperationMetric& out);
  void set_metadata(std::string_view json, OperationMetric& out);

  Defaults defaults_;
  std::uint64_t adjusted_texts_ = 0;
  std::uint64_t adjusted_figures_ = 0;
  std::uint64_t refused_metadata_ = 0;
};

}  // namespace metricsd::client
