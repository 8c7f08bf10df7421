#include "monitor.h"

#include <algorithm>
#include <string>

namespace metricsd::tools {

Monitor::Monitor(const Task& task, TreeSampler* tree, SystemSampler* system, ProcessFiles* files,
                 Destinations& destinations, const Clock& clock)
    : task_(task), tree_(tree), system_(system), files_(files), destinations_(destinations), clock_(clock) {}

void Monitor::sample(bool is_last) {
  if (!due_ns_) due_ns_ = clock_.monotonic_ns() + task_.profile.interval.count();
  const SystemSample* const system = system_ == nullptr ? nullptr : &system_->sample();
  if (tree_ != nullptr) {
    last_tree_ = &tree_->sample();
    add(*last_tree_);
  }
  const Observation observation{task_, last_tree_, system, course_.aggregates, is_last};
  if (files_ != nullptr) files_->write(observation);
  for (const auto& destination : destinations_) destination->take(observation);
}

void Monitor::add(const TreeSample& tree) {
  course_.aggregates.total.add(tree.total, tree.taken_ns, tree.began_ns);
  course_.most_processes = std::max(course_.most_processes, tree.total.processes);
  if (tree.total.cpu_usage_percent) course_.cpu.add(*tree.total.cpu_usage_percent);
  const std::uint64_t memory = tree.total.memory_usage_bytes.value_or(0);
  if (memory != 0) course_.memory.add(static_cast<double>(memory));
  for (const RoleSample& role : tree.roles) {
    auto found = course_.aggregates.roles.find(role.role);
    if (found == course_.aggregates.roles.end()) {
      found = course_.aggregates.roles.emplace(std::string(role.role), Aggregate()).first;
    }
    found->second.add(role.sample, tree.taken_ns, tree.began_ns);
    std::uint64_t& most = course_.most_processes_of[found->first];
    most = std::max(most, role.sample.processes);
  }
}

void Monitor::sample_if_due() {
  const std::int64_t interval = task_.profile.interval.count();
  const std::int64_t now = clock_.monotonic_ns();
  if (!due_ns_ || now < *due_ns_) return;
  *due_ns_ += (now - *due_ns_) / interval * interval + interval;
  sample();
}

int Monitor::wait_ms() const {
  constexpr std::int64_t kLongest = 3'600'000;
  if (!due_ns_) return 0;
  const std::int64_t left = std::max<std::int64_t>(*due_ns_ - clock_.monotonic_ns(), 0);
  return static_cast<int>(std::min((left + kNsPerMs - 1) / kNsPerMs, kLongest));
}

}  // namespace metricsd::tools
