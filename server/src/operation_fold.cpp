#include "operation_fold.h"

#include <metricsd/models/limits.h>

#include <bit>
#include <random>
#include <utility>

namespace metricsd::server {
namespace {

constexpr std::size_t kFewSlots = 64;
constexpr int kHashBits = 64;

// How long labels that had no room wait until they try again.
constexpr std::int64_t kRetryNs = kNsPerSecond;

std::array<std::uint64_t, 10> random_multipliers() {
  std::random_device random;
  std::array<std::uint64_t, 10> multipliers{};
  for (auto& multiplier : multipliers) multiplier = std::uint64_t{random()} << 32 | random() | 1U;
  return multipliers;
}

}  // namespace

OperationSeries::OperationSeries(const OperationKey& key, const OperationLabels& labels, LiveRun* run)
    : key_(key),
      run_(run),
      operation_type_(labels.operation_type),
      workload_type_(labels.workload_type),
      driver_(labels.driver),
      error_code_(labels.error_code),
      success_(labels.success) {}

bool OperationSeries::has_texts_of(const OperationLabels& labels) const {
  return operation_type_ == labels.operation_type && workload_type_ == labels.workload_type &&
         driver_ == labels.driver && error_code_ == labels.error_code;
}

OperationLabels OperationSeries::labels() const {
  return {.operation_type = operation_type_,
          .workload_type = workload_type_,
          .driver = driver_,
          .success = success_,
          .error_code = error_code_};
}

OperationFold::OperationFold(OperationFamilies& families, LiveRuns& live_runs)
    : families_(families),
      live_runs_(live_runs),
      multipliers_(random_multipliers()),
      slots_(kFewSlots),
      shift_(kHashBits - std::countr_zero(kFewSlots)) {}

OperationSeries& OperationFold::series(const OperationLabels& labels, LiveRun* run) {
  const OperationKey key(labels, run);
  const std::uint64_t hash = key.hash(multipliers_);
  std::size_t slot = first_slot(hash);
  for (; slots_[slot].series != nullptr; slot = (slot + 1) % slots_.size()) {
    if (slots_[slot].hash == hash && slots_[slot].series->matches(key, labels)) return *slots_[slot].series;
  }
  return add(slot, hash, std::make_unique<OperationSeries>(key, labels, run));
}

OperationSeries& OperationFold::add(std::size_t slot, std::uint64_t hash,
                                    std::unique_ptr<OperationSeries> series) {
  OperationSeries& added = *series;
  slots_[slot] = {hash, std::move(series)};
  if (++size_ > slots_.size() / 4 * 3) grow();
  return added;
}

void OperationFold::grow() {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  --shift_;
  for (Slot& moved : old) {
    if (moved.series == nullptr) continue;
    std::size_t slot = first_slot(moved.hash);
    while (slots_[slot].series != nullptr) slot = (slot + 1) % slots_.size();
    slots_[slot] = std::move(moved);
  }
}

// The first operation since settle(): looks whether what was found last time is still there.
void OperationFold::begin(OperationSeries& series, const Moment& now) {
  gathered_.push_back(&series);
  const std::uint64_t generation = 1 + families_.generation() + live_runs_.generation();
  const bool retries = series.targets_.overflows && now.monotonic_ns - series.found_ns_ >= kRetryNs;
  if (series.generation_ != generation || retries) find_targets(series, generation, now);
}

void OperationFold::find_targets(OperationSeries& series, std::uint64_t generation, const Moment& now) {
  const OperationLabels labels = series.labels();
  LiveRun& run = series.run_ != nullptr ? *series.run_ : live_runs_.at("", now);
  series.targets_ = families_.find(labels, now);
  series.live_ = run.place(labels.operation_type, labels.success, error_code_or_unknown(labels.error_code));
  series.generation_ = generation;
  series.found_ns_ = now.monotonic_ns;
  series.refused_ = 1;
}

void OperationFold::settle(const Moment& now) {
  for (OperationSeries* series : gathered_) {
    families_.add(series->targets_, series->tally_, series->success_, series->refused_, now);
    series->live_.add(series->tally_, now);
    series->tally_ = {};
    series->refused_ = 0;
  }
  gathered_.clear();
}

void OperationFold::keep_bounded() {
  if (size_ <= limits::kSeriesKept) return;
  slots_ = std::vector<Slot>(kFewSlots);
  shift_ = kHashBits - std::countr_zero(kFewSlots);
  size_ = 0;
  ++epoch_;
}

}  // namespace metricsd::server
