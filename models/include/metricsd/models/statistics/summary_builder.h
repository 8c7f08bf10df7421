// From operations to exact statistics, whatever their number, in bounded memory.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/run.h>
#include <metricsd/models/statistics/summary.h>

#include <cstddef>
#include <filesystem>
#include <memory>

namespace metricsd {

// One thread. Operations are added in any order; what does not fit in memory goes to an unlinked temporary
// file. The result depends on neither (save for which types fold, where there are too many), nor on the
// digits of a timestamp below the microsecond, which files do not keep.
class SummaryBuilder {
 public:
  struct Options {
    // For operations held at once. The peak is up to twice that. More gains nothing: caches are small.
    std::size_t memory_bytes = std::size_t{16} << 20;
    std::filesystem::path spill_directory = ".";  // where the temporary file goes
    double window_seconds = 10;                   // rounded to microseconds; one of them at least
  };

  explicit SummaryBuilder(const Options& options);
  ~SummaryBuilder();
  SummaryBuilder(SummaryBuilder&&) noexcept;
  SummaryBuilder& operator=(SummaryBuilder&&) noexcept;

  // Types beyond limits::kSummaryGroups and error codes beyond limits::kSummaryErrorCodes fold into one that
  // reads kOverflowLabel. Errors: those of writing the temporary file; then the operation was not taken.
  [[nodiscard]] Result<> add(const OperationView& operation);

  // Start and end come from `run`, where it has them, else from the operations. Once, at the end.
  // Errors: those of the temporary file.
  [[nodiscard]] Result<RunSummary> finish(const Run& run, DropCounts dropped);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace metricsd
