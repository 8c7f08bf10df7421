#include "column_statistics.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/statistics/moments.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace metricsd {
namespace {

// So many values are read once and held: 128 KiB.
constexpr std::uint64_t kFew = 1 << 14;

// Values that are passed over several times: few are held, many are counted on the way, for their
// percentiles.
class Values {
 public:
  Values(const ValueSource& source, std::uint64_t at_most) : source_(source) {
    if (at_most > kFew) {
      counts_.emplace();
    } else {
      few_.reserve(at_most);
    }
  }

  // Calls `use` with each value; once, before all else.
  template <class F>
  Result<> first_pass(F&& use) {
    return source_([&](std::span<const std::uint64_t> values) {
      if (counts_) {
        counts_->apply(values);
      } else {
        few_.insert(few_.end(), values.begin(), values.end());
      }
      for (const std::uint64_t value : values) use(value);
    });
  }

  // Calls `use` with each value again.
  template <class F>
  Result<> pass(F&& use) const {
    const auto visit = [&](std::span<const std::uint64_t> values) {
      for (const std::uint64_t value : values) use(value);
    };
    if (counts_) return source_(visit);
    visit(few_);
    return {};
  }

  [[nodiscard]] Result<std::vector<std::uint64_t>> select(std::span<const std::uint64_t> ranks,
                                                          std::size_t in_memory) const {
    if (counts_) return select_ranks(source_, *counts_, ranks, in_memory);
    const ValueSource few = [this](const ValueVisitor& visit) -> Result<> {
      visit(few_);
      return {};
    };
    return select_ranks(few, few_.size(), ranks, few_.size());
  }

 private:
  const ValueSource& source_;
  std::vector<std::uint64_t> few_;
  std::optional<CellCounts> counts_;
};

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

// Sets the percentiles of `statistics`, whose count is known: `interpolate` gives what lies so many
// thousandths of the way from one value to another.
template <class F>
Result<> add_percentiles(const Values& values, std::size_t in_memory, Statistics& statistics, F interpolate) {
  std::vector<std::uint64_t> ranks;
  for (const Percentile& percentile : kPercentiles) {
    const Position position = position_of(percentile.per_mille, statistics.count);
    ranks.insert(ranks.end(), {position.rank, position.next_rank});
  }
  std::sort(ranks.begin(),
            ranks.end());  // of few values the rank after one percentile may lie behind another's
  const Result<std::vector<std::uint64_t>> selected = values.select(ranks, in_memory);
  if (!selected) return selected.error();
  const auto value_at = [&](std::uint64_t rank) {
    const auto place = std::lower_bound(ranks.begin(), ranks.end(), rank) - ranks.begin();
    return (*selected)[static_cast<std::size_t>(place)];
  };
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    const Position position = position_of(kPercentiles[i].per_mille, statistics.count);
    statistics.percentiles[i] =
        interpolate(value_at(position.rank), value_at(position.next_rank), position.thousandths);
  }
  return {};
}

// In whole numbers up to the one rounding at the end.
double time_between(std::uint64_t low, std::uint64_t high, unsigned thousandths) {
  constexpr auto kUnit = static_cast<std::uint64_t>(kNsPerMs);
  return ratio(Uint128{low} * 1000 + Uint128{high - low} * thousandths, Uint128{1000} * kUnit);
}

double double_of(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}

double double_between(std::uint64_t low, std::uint64_t high, unsigned thousandths) {
  // In a statement of its own, so that no compiler fuses it with the sum: the same last digit everywhere.
  const double step = (double_of(high) - double_of(low)) * (thousandths / 1000.0);
  return double_of(low) + step;
}

// Count, extremes and mean.
Result<Statistics> first_pass_of_doubles(Values& values) {
  Statistics statistics;
  ExactSum sum;
  std::uint64_t min = std::numeric_limits<std::uint64_t>::max();  // bits are ordered as the doubles are
  std::uint64_t max = 0;
  const Result<> read = values.first_pass([&](std::uint64_t bits) {
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

Result<> add_stddev(const Values& values, Statistics& statistics) {
  if (statistics.count < 2) return {};
  ExactSum squares;
  const Result<> read = values.pass([&](std::uint64_t bits) {
    const double deviation = double_of(bits) - statistics.mean;
    squares.apply(deviation * deviation);
  });
  statistics.stddev = std::sqrt(squares.value() / static_cast<double>(statistics.count - 1));
  return read;
}

}  // namespace

Result<std::optional<Statistics>> time_statistics(const ValueSource& source, std::uint64_t at_most,
                                                  std::size_t in_memory) {
  constexpr auto kUnit = static_cast<std::uint64_t>(kNsPerMs);
  Values values(source, at_most);
  Moments moments;
  if (Result<> read = values.first_pass([&](std::uint64_t ns) { moments.apply(ns); }); !read)
    return read.error();
  if (moments.count() == 0) return std::optional<Statistics>();

  Statistics statistics;
  statistics.count = moments.count();
  statistics.min = ratio(moments.min(), kUnit);
  statistics.max = ratio(moments.max(), kUnit);
  statistics.mean = moments.mean(kUnit);
  statistics.stddev = moments.stddev(kUnit);
  if (Result<> added = add_percentiles(values, in_memory, statistics, time_between); !added)
    return added.error();
  return std::optional(statistics);
}

Result<std::optional<Statistics>> double_statistics(const ValueSource& source, std::uint64_t at_most,
                                                    std::size_t in_memory) {
  Values values(source, at_most);
  Result<Statistics> statistics = first_pass_of_doubles(values);
  if (!statistics) return statistics.error();
  if (statistics->count == 0) return std::optional<Statistics>();
  if (Result<> added = add_stddev(values, *statistics); !added) return added.error();
  if (Result<> added = add_percentiles(values, in_memory, *statistics, double_between); !added)
    return added.error();
  return std::optional(*statistics);
}

}  // namespace metricsd
