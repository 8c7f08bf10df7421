// usage: metricsd_bench_percentiles COUNT
//
// The ranks that every statistic of a run needs, selected from COUNT durations, and the same after std::sort
// of the same durations: {"select_ns", "sort_ns"} of CPU in all.

#include "process.h"

#include <metricsd/models/statistics/exact_selection.h>
#include <metricsd/models/statistics/summary.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using namespace metricsd;

// Durations like a store's: 1 ms in the middle, even over the powers of two of a factor of a thousand, with
// noise in every digit.
std::vector<std::uint64_t> make_durations(std::size_t count) {
  std::vector<std::uint64_t> values(count);
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (std::uint64_t& value : values) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    value = static_cast<std::uint64_t>(30'000 * std::exp2(static_cast<double>(state >> 11) * 0x1p-53 * 10));
  }
  return values;
}

// Both neighbours of each percentile, which type 7 interpolates between.
std::vector<std::uint64_t> ranks_of(std::uint64_t count) {
  std::vector<std::uint64_t> ranks;
  for (const Percentile& percentile : kPercentiles) {
    const std::uint64_t low = (count - 1) * percentile.per_mille / 1000;
    for (const std::uint64_t rank : {low, std::min(low + 1, count - 1)}) {
      if (ranks.empty() || ranks.back() < rank) ranks.push_back(rank);
    }
  }
  return ranks;
}

// As the statistics read their spilled durations: block by block.
ValueSource blocks_of(const std::vector<std::uint64_t>& values) {
  return [&values](const ValueVisitor& visit) -> Result<> {
    constexpr std::size_t kBlock = 8192;
    for (std::size_t at = 0; at < values.size(); at += kBlock) {
      visit(std::span(values).subspan(at, std::min(kBlock, values.size() - at)));
    }
    return {};
  };
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (count == 0) measuring::fail("usage: metricsd_bench_percentiles COUNT");
  std::vector<std::uint64_t> values = make_durations(count);
  const std::vector<std::uint64_t> ranks = ranks_of(count);

  Result<std::vector<std::uint64_t>> selected = Errc::limit_reached;
  const double select_ns =
      measuring::cpu_ns_of([&] { selected = select_ranks(blocks_of(values), count, ranks); });
  const double sort_ns = measuring::cpu_ns_of([&] { std::sort(values.begin(), values.end()); });

  if (!selected) measuring::fail("the selection failed");
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if ((*selected)[i] != values[ranks[i]]) measuring::fail("the selection is wrong");
  }
  measuring::print({{"select_ns", select_ns}, {"sort_ns", sort_ns}});
}
