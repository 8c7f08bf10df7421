// Exact order statistics of values that need not fit in memory.
#pragma once

#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace metricsd {

// Calls its argument with the values, block by block; each call of the source passes over all of them again,
// in any order but always the same ones. Fails with whatever reading them fails with.
using ValueVisitor = std::function<void(std::span<const std::uint64_t>)>;
using ValueSource = std::function<Result<>(const ValueVisitor&)>;

// The values at the given ranks (0-based, ascending, below `count`) of `count` values in ascending order.
// Where count is at most `in_memory` they are collected and partitioned in one pass; else the bits of those
// in question are narrowed 16 at a time (radix selection) until so few are left, in at most four passes and
// half a mebibyte for each rank. Errors are those of the source.
[[nodiscard]] Result<std::vector<std::uint64_t>> select_ranks(const ValueSource& source, std::uint64_t count,
                                                              std::span<const std::uint64_t> ranks,
                                                              std::size_t in_memory = std::size_t{1} << 22);

}  // namespace metricsd
