// What is durable of one shard: loaded from the very bytes that were written, so that what is shown of it is
// what a daemon started anew would show.
#pragma once

#include "../shard_report.h"
#include "cut.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/registry.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metricsd::server {

// Any thread.
class Replica {
 public:
  // A replica of a shard that lives shares its catalog.
  explicit Replica(std::shared_ptr<Catalog> catalog) : registry_(std::move(catalog)) {}

  // Takes over a cut. Nothing where it is none: then the replica means nothing.
  [[nodiscard]] std::optional<LoadReport> load(std::string_view cut, Timestamp wall);
  // Appends all of it as a cut.
  void save(std::string& out, const Moment& now);

  // Any thread looks at it by itself.
  [[nodiscard]] const TaskHistory& tasks() const { return tasks_; }
  [[nodiscard]] ShardReport report(const ReportParts& parts) const;

  // For who owns it alone.
  [[nodiscard]] ShardState state() { return {registry_, totals_, live_runs_, clients_, &tasks_}; }

 private:
  mutable std::mutex mutex_;
  Registry registry_;
  IngestTotals totals_;
  LiveRuns live_runs_;
  Clients clients_;
  TaskHistory tasks_;
};

// Of all shards, in their order.
using Replicas = std::vector<std::unique_ptr<Replica>>;

}  // namespace metricsd::server
