#include "shard_cuts.h"

#include <chrono>
#include <future>

namespace metricsd::server {
namespace {

// A shard answers between two reads. One that does not for so long is stuck.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

Result<std::vector<std::string>> ShardCuts::cut(Extent extent) {
  std::vector<std::future<std::string>> pending;
  pending.reserve(shards_.size());
  for (const auto& shard : shards_) pending.push_back(shard->cut(extent));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::vector<std::string> cuts;
  cuts.reserve(pending.size());
  for (auto& each : pending) {
    if (each.wait_until(deadline) != std::future_status::ready) return Errc::timed_out;
    cuts.push_back(each.get());
  }
  return cuts;
}

void ShardCuts::settle() {
  for (const auto& shard : shards_) shard->settle();
}

}  // namespace metricsd::server
