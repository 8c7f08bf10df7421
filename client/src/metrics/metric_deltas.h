// What a collector's metrics have come to since the daemon was told last, as rows of `samples` messages.
//
//   deltas.refresh();
//   while (there is room && deltas.next(message)) queue(message);
//
// Cells are only read: a delta is a series' sum over all threads less what was told. A thread may be writing
// meanwhile; what is not seen now is seen the next time, so that nothing is lost or told twice. What next()
// gave counts as told: its message must reach the daemon.
#pragma once

#include "metric_registry.h"

#include <metricsd/ipc/message.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace metricsd::client {

// One thread.
class MetricDeltas {
 public:
  explicit MetricDeltas(std::shared_ptr<MetricRegistry> registry) : registry_(std::move(registry)) {}

  // Sees what there is by now; next() will go through all of it once.
  void refresh();
  // The next rows, up to limits::kSampleRows or about 16 KiB of them. False where there are none (left).
  [[nodiscard]] bool next(ipc::SamplesMessage& message);

  // A daemon listens: from now on counters that count nothing yet are told as well, so that their first step
  // is seen. They and all gauges are told anew: a new connection knows none. What was told of the others
  // holds.
  void begin_connection();
  // The families that came since the last call.
  [[nodiscard]] std::vector<ipc::DefineMessage> take_definitions();

 private:
  // What was told of one series.
  struct Told {
    bool is_there = false;    // of a counter: this connection or one before was told that there is one
    std::uint64_t whole = 0;  // of it
    double rest = 0;
    double gauge = GaugeCell::kUnset;
    double sum = 0;                     // of a histogram
    std::vector<std::uint64_t> counts;  // of its cells; empty as long as there are none
  };

  void append_rows(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows);
  void append_counter(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows) const;
  static void append_gauge(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows);
  void append_histogram(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows);
  [[nodiscard]] HistogramDelta cells_since(const MetricSeries& series, Told& told);

  const std::shared_ptr<MetricRegistry> registry_;
  MetricRegistry::View view_;
  bool has_listener_ = false;
  std::vector<Told> told_;   // by the place in view_.series
  std::size_t next_ = 0;     // the series to look at next: where the room ends, others have their turn then
  std::size_t left_ = 0;     // to look at since refresh()
  std::size_t defined_ = 0;  // families taken
  std::vector<std::uint64_t> totals_;  // reused
};

}  // namespace metricsd::client
