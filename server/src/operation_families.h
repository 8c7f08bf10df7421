// The families that operations are folded into: the table of docs/metrics.md.
#pragma once

#include "operation_key.h"
#include "operation_tally.h"

#include <metricsd/models/registry.h>

#include <string>
#include <vector>

namespace metricsd::server {

struct FamilyOptions {
  std::string metrics_namespace = "workload";
  std::vector<double> duration_bounds = default_duration_bounds();  // seconds
  std::vector<double> size_bounds = default_size_bounds();          // bytes
};

// Every family under the namespace, run_info included.
[[nodiscard]] std::vector<FamilySpec> operation_family_specs(const FamilyOptions& options);
[[nodiscard]] FamilySpec run_info_spec(const std::string& metrics_namespace);

// Where the operations of one key are counted. Holds while the families' generation() is the same.
struct OperationTargets {
  SeriesHandle<Histogram> duration;
  SeriesHandle<Histogram> size;
  SeriesHandle<Counter> operations;
  SeriesHandle<Counter> retries;
  SeriesHandle<Counter> outcome;  // bytes of successful operations, errors of failed ones
  bool overflows = false;         // one of these at least is shared by what had no room
};

// One thread: the registry's.
class OperationFamilies {
 public:
  // Defines the families in `registry`, which must outlive this object and have none of them under another
  // meaning.
  OperationFamilies(Registry& registry, const FamilyOptions& options);

  // For an operation that is put there next: what has no room counts as refused once.
  [[nodiscard]] OperationTargets find(const OperationLabels& labels, const Moment& now);
  // Grows whenever one of the series goes.
  [[nodiscard]] std::uint64_t generation() const;

  // Operations are put in buckets one by one, and add() says at last what they come to.
  [[nodiscard]] BucketPlace place_of_duration(std::int64_t ns) const {
    return duration_buckets_.find(static_cast<double>(ns) / 1e9);
  }
  [[nodiscard]] BucketPlace place_of_size(std::uint64_t bytes) const {
    return size_buckets_.find(static_cast<double>(bytes));
  }
  // `refused`: how many of them find() has counted already where there was no room.
  void add(const OperationTargets& targets, const OperationTally& tally, bool success, std::uint64_t refused,
           const Moment& now);

  [[nodiscard]] Family<Gauge>& active_users() { return *active_users_; }

 private:
  Family<Histogram>* duration_;
  Family<Histogram>* size_;
  Family<Counter>* operations_;
  Family<Counter>* bytes_;
  Family<Counter>* errors_;
  Family<Counter>* retries_;
  Family<Gauge>* active_users_;
  BucketFinder duration_buckets_;
  BucketFinder size_buckets_;
};

}  // namespace metricsd::server
