#include "shard_cuts.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

namespace metricsd::server {
namespace {

// A shard answers between two reads. One that does not for so long is stuck.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

Result<Cuts> ShardCuts::cut(Extent extent) {
  std::vector<std::future<ShardCut>> pending;
  pending.reserve(shards_.size());
  for (const auto& shard : shards_) pending.push_back(shard->cut(extent));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  Cuts cuts;
  for (auto& each : pending) {
    if (each.wait_until(deadline) != std::future_status::ready) return Errc::timed_out;
    ShardCut cut = each.get();
    cuts.shards.push_back(std::move(cut.bytes));
    cuts.pause_ns = std::max(cuts.pause_ns, cut.pause_ns);
  }
  return cuts;
}

void ShardCuts::settle() {
  for (const auto& shard : shards_) shard->settle();
}

}  // namespace metricsd::server
