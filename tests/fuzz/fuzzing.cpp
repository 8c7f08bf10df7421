#include "fuzzing.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>

namespace metricsd::fuzz {
namespace {

[[noreturn]] void fail(std::string_view what) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace

void check(bool holds, std::string_view what) {
  if (!holds) fail(what);
}

void check_same(std::string_view one, std::string_view other, std::string_view what) {
  if (one != other)
    fail(std::string(what) + "\n--- one\n" + std::string(one) + "\n--- other\n" + std::string(other));
}

std::vector<std::string> parts_of(std::string_view bytes, Split split) {
  std::minstd_rand random(static_cast<std::uint32_t>(std::hash<std::string_view>()(bytes)));
  std::vector<std::string> parts;
  while (!bytes.empty()) {
    std::size_t size = bytes.size();
    if (split == Split::single) size = 1;
    if (split == Split::odd) {
      const std::size_t most = std::size_t{1} << random() % 8;
      size = std::min(size, 1 + random() % most);
    }
    parts.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return parts;
}

}  // namespace metricsd::fuzz
