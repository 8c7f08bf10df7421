// The shards, as who makes checkpoints sees them.
#pragma once

#include "../ingest/shard.h"
#include "checkpointer.h"

#include <memory>
#include <vector>

namespace metricsd::server {

class ShardCuts : public CutSource {
 public:
  // `shards` outlive it.
  explicit ShardCuts(const std::vector<std::unique_ptr<Shard>>& shards) : shards_(shards) {}

  [[nodiscard]] Result<Cuts> cut(Extent extent) override;
  void settle() override;

 private:
  const std::vector<std::unique_ptr<Shard>>& shards_;
};

}  // namespace metricsd::server
