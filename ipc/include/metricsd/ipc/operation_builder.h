// From records as callers wrote them to operations that every reader takes.
//
// Whatever a workload passes, what comes out obeys the contract of OperationMetric: text is repaired and cut,
// figures are held to their ranges, metadata that is no JSON object is left out. Only a type name that breaks
// its rule makes a record unusable, since it says what the operation was.
#pragma once

#include <metricsd/ipc/counter_timeline.h>
#include <metricsd/ipc/record_names.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/operation.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::ipc {

// One thread.
class OperationBuilder {
 public:
  struct Defaults {
    std::string workload_type;
    std::string driver;
    std::string id_prefix;  // of the operation ids made here
  };

  // `names` outlives it.
  OperationBuilder(Defaults defaults, const RecordNameSource& names, const CounterTimeline& timeline);

  // Lets records of now be dated exactly, and by the wall clock as it is set now.
  const CounterTimeline& calibrate() noexcept {
    timeline_.add(CounterReading::take());
    return timeline_;
  }

  // False for a record that can be no operation; `out` is then unspecified. `ordinal` is the record's in its
  // stream: with the prefix and the stream it makes an id that no other record has. The texts of `out` are
  // views into the record's bytes and into this, valid until the next call.
  [[nodiscard]] bool build(const Record& record, std::uint32_t stream, std::uint64_t ordinal,
                           OperationView& out);

  // What was changed so far, a line each, for a person.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  // What the record or its handle names; false where that is no type.
  bool set_names(const Record& record, OperationView& out);
  [[nodiscard]] bool is_known_type(std::string_view name);
  const RecordNames* entry_of(std::uint32_t handle);
  void set_figures(const Record& record, OperationView& out);
  // False where a time was out of range.
  [[nodiscard]] bool set_times(const Record& record, OperationView& out) const;
  void set_texts(const Record& record, OperationView& out);
  void set_metadata(std::string_view json, OperationView& out);
  void set_id(std::uint32_t stream, std::uint64_t ordinal, OperationView& out);

  Defaults defaults_;
  bool runs_is_type_;  // a run's file may say anything
  const RecordNameSource& names_;
  std::vector<const RecordNames*> entries_;  // by handle, as far as they were met
  CounterTimeline timeline_;
  std::array<std::string, kRecordTexts> repaired_;  // texts that could not stay as they were
  std::string known_type_;
  std::string id_;  // the one made last: mostly the next one has the next number
  std::uint32_t id_stream_ = 0;
  std::uint64_t id_ordinal_ = 0;
  std::uint64_t adjusted_texts_ = 0;
  std::uint64_t adjusted_figures_ = 0;
  std::uint64_t refused_metadata_ = 0;
};

}  // namespace metricsd::ipc
