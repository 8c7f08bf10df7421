#include "observation_metrics.h"

#include <metricsd/models/labels.h>

#include <chrono>
#include <string>

namespace metricsd::tools {

namespace {

double real(std::uint64_t value) {
  return static_cast<double>(value);
}

}  // namespace

void ObservationMetrics::tell(const Observation& observation) {
  job_ = observation.task.job_name;
  if (observation.tree != nullptr) tell_tree(*observation.tree, observation.task.profile.collect);
  if (observation.system != nullptr) tell_system(*observation.system);
}

void ObservationMetrics::tell_tree(const TreeSample& tree, const Collect& collect) {
  for (const RoleSample& role : tree.roles) tell_role(role, collect);
  if (collect.network_io && tree.total.network_rx_bytes) {
    total(kProcessNetwork, {"receive"}, real(*tree.total.network_rx_bytes));
  }
  if (collect.network_io && tree.total.network_tx_bytes) {
    total(kProcessNetwork, {"transmit"}, real(*tree.total.network_tx_bytes));
  }
  book_.observe(kProcessCollection, with_job({}),
                std::chrono::duration<double>(tree.collection_duration).count());
}

void ObservationMetrics::tell_role(const RoleSample& role, const Collect& collect) {
  const std::string_view name = role.role;
  const ProcessSample& sample = role.sample;
  gauge(kProcesses, {name}, real(sample.processes));
  gauge(kProcessStartTime, {name}, role.start_time_seconds);
  if (collect.cpu) {
    total(kProcessCpu, {name, "user"}, sample.cpu_user_seconds);
    total(kProcessCpu, {name, "system"}, sample.cpu_system_seconds);
  }
  if (collect.memory) {
    if (sample.memory_usage_bytes) gauge(kProcessResident, {name}, real(*sample.memory_usage_bytes));
    gauge(kProcessVirtual, {name}, real(sample.virtual_memory_bytes));
  }
  if (collect.disk_io && sample.disk_read_bytes)
    total(kProcessDisk, {name, "read"}, real(*sample.disk_read_bytes));
  if (collect.disk_io && sample.disk_write_bytes)
    total(kProcessDisk, {name, "write"}, real(*sample.disk_write_bytes));
  if (collect.threads) gauge(kProcessThreads, {name}, real(sample.thread_count));
  if (collect.file_descriptors && sample.file_descriptor_count) {
    gauge(kProcessOpenFds, {name}, real(*sample.file_descriptor_count));
  }
}

void ObservationMetrics::tell_system(const SystemSample& system) {
  for (const CoreSample& core : system.cores) tell_cpu(std::to_string(core.core), core.times);
  if (system.memory) tell_memory(*system.memory);
  if (system.load) {
    gauge(kSystemLoad, {"1"}, system.load->one);
    gauge(kSystemLoad, {"5"}, system.load->five);
    gauge(kSystemLoad, {"15"}, system.load->fifteen);
  }
  for (const DiskSample& disk : system.disks) tell_disk(disk);
  for (const NetworkSample& network : system.networks) tell_network(network);
  for (const PressureSample& pressure : system.pressures) tell_pressure(pressure);
  total(kSystemForks, {}, real(system.processes_forked));
  total(kSystemSwitches, {}, real(system.context_switches));
  gauge(kSystemTasks, {"running"}, real(system.processes_running));
  gauge(kSystemTasks, {"blocked"}, real(system.processes_blocked));
  gauge(kSystemUptime, {}, system.uptime_seconds);
}

void ObservationMetrics::tell_cpu(std::string_view core, const CpuTimes& times) {
  total(kSystemCpu, {core, "user"}, times.user);
  total(kSystemCpu, {core, "nice"}, times.nice);
  total(kSystemCpu, {core, "system"}, times.system);
  total(kSystemCpu, {core, "idle"}, times.idle);
  total(kSystemCpu, {core, "iowait"}, times.iowait);
  total(kSystemCpu, {core, "irq"}, times.irq);
  total(kSystemCpu, {core, "softirq"}, times.softirq);
  total(kSystemCpu, {core, "steal"}, times.steal);
}

void ObservationMetrics::tell_memory(const MemorySample& memory) {
  gauge(kSystemMemory, {"total"}, real(memory.total_bytes));
  gauge(kSystemMemory, {"free"}, real(memory.free_bytes));
  gauge(kSystemMemory, {"available"}, real(memory.available_bytes));
  gauge(kSystemMemory, {"buffers"}, real(memory.buffers_bytes));
  gauge(kSystemMemory, {"cached"}, real(memory.cached_bytes));
  gauge(kSystemSwap, {"total"}, real(memory.swap_total_bytes));
  gauge(kSystemSwap, {"free"}, real(memory.swap_free_bytes));
}

void ObservationMetrics::tell_disk(const DiskSample& disk) {
  both(kSystemDiskBytes, disk.device, "read", real(disk.read_bytes), "write", real(disk.written_bytes));
  both(kSystemDiskOperations, disk.device, "read", real(disk.reads), "write", real(disk.writes));
  both(kSystemDiskTime, disk.device, "read", disk.read_seconds, "write", disk.write_seconds);
  total(kSystemDiskBusy, {disk.device}, disk.busy_seconds);
}

void ObservationMetrics::tell_network(const NetworkSample& network) {
  const auto tell = [&](const MetricFamily& counter, std::uint64_t received, std::uint64_t sent) {
    both(counter, network.device, "receive", real(received), "transmit", real(sent));
  };
  tell(kSystemNetworkBytes, network.rx_bytes, network.tx_bytes);
  tell(kSystemNetworkPackets, network.rx_packets, network.tx_packets);
  tell(kSystemNetworkErrors, network.rx_errors, network.tx_errors);
  tell(kSystemNetworkDropped, network.rx_dropped, network.tx_dropped);
}

void ObservationMetrics::tell_pressure(const PressureSample& pressure) {
  total(kSystemPressure, {pressure.resource, "some"}, pressure.some_seconds);
  if (pressure.full_seconds) total(kSystemPressure, {pressure.resource, "full"}, *pressure.full_seconds);
}

void ObservationMetrics::total(const MetricFamily& counter, Labels labels, double value) {
  const LabelSpan all = with_job(labels);
  key_.clear();
  append_series_key(key_, all);
  const auto [told, is_new] = totals_[&counter].try_emplace(key_, 0.0);
  if (value > told->second || is_new) {
    book_.add(counter, all, value - told->second);
    told->second = value;
  }
}

void ObservationMetrics::gauge(const MetricFamily& gauge, Labels labels, double value) {
  book_.set(gauge, with_job(labels), value);
}

void ObservationMetrics::both(const MetricFamily& counter, std::string_view device, std::string_view one,
                              double one_value, std::string_view other, double other_value) {
  total(counter, {device, one}, one_value);
  total(counter, {device, other}, other_value);
}

LabelSpan ObservationMetrics::with_job(Labels labels) {
  labels_.assign(1, job_);
  labels_.insert(labels_.end(), labels);
  return labels_;
}

}  // namespace metricsd::tools
