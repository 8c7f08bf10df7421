#include "group_summary.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/statistics/exact_selection.h>
#include <metricsd/models/statistics/moments.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace metricsd {
namespace {

// One column of some rows, to be passed over again and again.
ValueSource column_source(const RecordStore& store, Column column, std::span<const Extent> extents) {
  return [&store, column, extents](const ValueVisitor& visit) -> Result<> {
    for (const Extent& extent : extents) {
      if (Result<> read = store.read(column, extent, visit); !read) return read;
    }
    return {};
  };
}

std::uint64_t total_rows(std::span<const Extent> extents) {
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.rows();
  return total;
}

// Calls `use` with each value.
template <class F>
Result<> for_each(const ValueSource& source, F&& use) {
  return source([&](std::span<const std::uint64_t> values) {
    for (const std::uint64_t value : values) use(value);
  });
}

// Where a percentile of type 7 lies: thousandths of the way from the value at `rank` to the one after it.
struct Position {
  std::uint64_t rank;
  std::uint64_t next_rank;
  unsigned thousandths;
};

Position position_of(unsigned per_mille, std::uint64_t count) {
  const std::uint64_t h = (count - 1) * per_mille;
  return {h / 1000, std::min(h / 1000 + 1, count - 1), static_cast<unsigned>(h % 1000)};
}

// The values between which the percentiles of `count` values lie.
class OrderStatistics {
 public:
  [[nodiscard]] static Result<OrderStatistics> of(const ValueSource& source, std::uint64_t count,
                                                  std::size_t in_memory) {
    OrderStatistics statistics;
    auto& ranks = statistics.ranks_;
    for (const Percentile& percentile : kPercentiles) {
      const Position position = position_of(percentile.per_mille, count);
      ranks.insert(ranks.end(), {position.rank, position.next_rank});
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    Result<std::vector<std::uint64_t>> values = select_ranks(source, count, ranks, in_memory);
    if (!values) return values.error();
    statistics.values_ = std::move(*values);
    return statistics;
  }

  [[nodiscard]] std::uint64_t at(std::uint64_t rank) const {
    const auto found = std::lower_bound(ranks_.begin(), ranks_.end(), rank);
    return values_[static_cast<std::size_t>(found - ranks_.begin())];
  }

 private:
  std::vector<std::uint64_t> ranks_;
  std::vector<std::uint64_t> values_;
};

// Of nanoseconds, in milliseconds: whole numbers up to the one rounding at the end.
Result<std::optional<Statistics>> time_statistics(const ValueSource& source, std::size_t in_memory) {
  constexpr auto kUnit = static_cast<std::uint64_t>(kNsPerMs);
  Moments moments;
  if (Result<> read = for_each(source, [&](std::uint64_t ns) { moments.apply(ns); }); !read)
    return read.error();
  if (moments.count() == 0) return std::optional<Statistics>();
  const Result<OrderStatistics> ordered = OrderStatistics::of(source, moments.count(), in_memory);
  if (!ordered) return ordered.error();

  Statistics statistics;
  statistics.count = moments.count();
  statistics.min = ratio(moments.min(), kUnit);
  statistics.max = ratio(moments.max(), kUnit);
  statistics.mean = moments.mean(kUnit);
  statistics.stddev = moments.stddev(kUnit);
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    const Position position = position_of(kPercentiles[i].per_mille, statistics.count);
    const std::uint64_t low = ordered->at(position.rank);
    const std::uint64_t high = ordered->at(position.next_rank);
    statistics.percentiles[i] =
        ratio(Uint128{low} * 1000 + Uint128{high - low} * position.thousandths, Uint128{1000} * kUnit);
  }
  return std::optional(statistics);
}

double double_of(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}

// Count, extremes and mean; a statistics of none where there are none.
Result<Statistics> first_pass(const ValueSource& source) {
  Statistics statistics;
  ExactSum sum;
  std::uint64_t min = kAbsent;  // bits are ordered as the doubles are
  std::uint64_t max = 0;
  const Result<> read = for_each(source, [&](std::uint64_t bits) {
    ++statistics.count;
    min = std::min(min, bits);
    max = std::max(max, bits);
    sum.apply(double_of(bits));
  });
  if (!read) return read.error();
  if (statistics.count == 0) return statistics;
  statistics.min = double_of(min);
  statistics.max = double_of(max);
  statistics.mean = sum.value() / static_cast<double>(statistics.count);
  return statistics;
}

Result<> add_stddev(const ValueSource& source, Statistics& statistics) {
  if (statistics.count < 2) return {};
  ExactSum squares;
  const Result<> read = for_each(source, [&](std::uint64_t bits) {
    const double deviation = double_of(bits) - statistics.mean;
    squares.apply(deviation * deviation);
  });
  statistics.stddev = std::sqrt(squares.value() / static_cast<double>(statistics.count - 1));
  return read;
}

// Of doubles, given as their bits.
Result<std::optional<Statistics>> double_statistics(const ValueSource& source, std::size_t in_memory) {
  Result<Statistics> first = first_pass(source);
  if (!first) return first.error();
  Statistics& statistics = *first;
  if (statistics.count == 0) return std::optional<Statistics>();
  if (Result<> read = add_stddev(source, statistics); !read) return read.error();
  const Result<OrderStatistics> ordered = OrderStatistics::of(source, statistics.count, in_memory);
  if (!ordered) return ordered.error();

  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    const Position position = position_of(kPercentiles[i].per_mille, statistics.count);
    const double low = double_of(ordered->at(position.rank));
    const double high = double_of(ordered->at(position.next_rank));
    // In a statement of its own, so that no compiler fuses it with the sum: the same last digit everywhere.
    const double step = (high - low) * (position.thousandths / 1000.0);
    statistics.percentiles[i] = low + step;
  }
  return std::optional(statistics);
}

Result<Moments> moments_of(const ValueSource& source) {
  Moments moments;
  if (Result<> read = for_each(source, [&](std::uint64_t value) { moments.apply(value); }); !read)
    return read.error();
  return moments;
}

std::uint64_t saturated_sum(const Moments& moments) {
  constexpr Uint128 kMost = std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(std::min(moments.sum(), kMost));
}

Result<> add_sizes(const RecordStore& store, const GroupRows& rows, GroupSummary& summary) {
  const Result<Moments> successful = moments_of(column_source(store, Column::size, rows.successful));
  if (!successful) return successful.error();
  summary.bytes_transferred = saturated_sum(*successful);

  Result<Moments> all = moments_of(column_source(store, Column::size, rows.failed));
  if (!all) return all.error();
  all->merge(*successful);
  if (all->count() > 0) {
    summary.object_size_bytes = SizeStatistics{all->min(), all->max(), all->mean(), saturated_sum(*all)};
  }
  return {};
}

template <class T>
error_code assign(T& into, Result<T> from) {
  if (!from) return from.error();
  into = *std::move(from);
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
  const auto successful = [&](Column column) { return column_source(store, column, rows.successful); };
  error_code error = assign(summary.duration_ms, time_statistics(successful(Column::duration), in_memory));
  if (!error)
    error = assign(summary.response_time_ms, time_statistics(successful(Column::response), in_memory));
  if (!error)
    error = assign(summary.throughput_mbps, double_statistics(successful(Column::throughput), in_memory));
  if (error) return error;
  return summary;
}

}  // namespace metricsd
