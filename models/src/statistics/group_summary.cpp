#include "group_summary.h"

#include "column_statistics.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/statistics/moments.h>

#include <optional>
#include <span>
#include <utility>

namespace metricsd {
namespace {

// One column of some rows, to be passed over again and again.
class ColumnOfRows {
 public:
  ColumnOfRows(const RecordStore& store, Column column, std::span<const Extent> extents)
      : store_(store), column_(column), extents_(extents) {}

  Result<> operator()(const ValueVisitor& visit) const {
    for (const Extent& extent : extents_) {
      if (Result<> read = store_.read(column_, extent, visit); !read) return read;
    }
    return {};
  }

  // There are no more values than that.
  [[nodiscard]] std::uint64_t at_most() const {
    std::uint64_t rows = 0;
    for (const Extent& extent : extents_)
      rows += extent.presence_of(column_) == Presence::none ? 0 : extent.rows();
    return rows;
  }

 private:
  const RecordStore& store_;
  Column column_;
  std::span<const Extent> extents_;
};

std::uint64_t total_rows(std::span<const Extent> extents) {
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.rows();
  return total;
}

Result<Moments> moments_of(const ColumnOfRows& column) {
  Moments moments;
  const Result<> read = column([&](std::span<const std::uint64_t> values) {
    for (const std::uint64_t value : values) moments.apply(value);
  });
  if (!read) return read.error();
  return moments;
}

Result<> add_sizes(const RecordStore& store, const GroupRows& rows, GroupSummary& summary) {
  const Result<Moments> successful = moments_of({store, Column::size, rows.successful});
  if (!successful) return successful.error();
  summary.bytes_transferred = saturated(successful->sum());

  Result<Moments> all = moments_of({store, Column::size, rows.failed});
  if (!all) return all.error();
  all->merge(*successful);
  if (all->count() > 0) {
    summary.object_size_bytes = SizeStatistics{all->min(), all->max(), all->mean(), saturated(all->sum())};
  }
  return {};
}

// Statistics of a column that some rows have.
using StatisticsOf = Result<std::optional<Statistics>>(const ValueSource&, std::uint64_t, std::size_t);

error_code assign(std::optional<Statistics>& into, StatisticsOf& statistics_of, const ColumnOfRows& column,
                  std::size_t in_memory) {
  const std::uint64_t at_most = column.at_most();
  if (at_most == 0) return {};
  Result<std::optional<Statistics>> statistics = statistics_of(column, at_most, in_memory);
  if (!statistics) return statistics.error();
  into = *statistics;
  return {};
}

}  // namespace

Result<GroupSummary> summarize(const RecordStore& store, const GroupRows& rows, double seconds,
                               std::size_t in_memory) {
  GroupSummary summary;
  summary.operations.successful = total_rows(rows.successful);
  summary.operations.total = summary.operations.successful + total_rows(rows.failed);
  if (seconds > 0) summary.requests_per_second = static_cast<double>(summary.operations.total) / seconds;

  if (const Result<> added = add_sizes(store, rows, summary); !added) return added.error();
  const auto column = [&](Column of) { return ColumnOfRows(store, of, rows.successful); };
  error_code error = assign(summary.duration_ms, time_statistics, column(Column::duration), in_memory);
  if (!error) {
    error = assign(summary.response_time_ms, time_statistics, column(Column::response), in_memory);
  }
  if (!error) {
    error = assign(summary.throughput_mbps, double_statistics, column(Column::throughput), in_memory);
  }
  if (error) return error;
  return summary;
}

}  // namespace metricsd
