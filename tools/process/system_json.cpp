#include "system_json.h"

#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

namespace {

template <class T>
void append(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  if (value) json.field(name, *value);
}

void append(JsonWriter& json, const CpuTimes& times) {
  json.field("user_seconds", times.user)
      .field("nice_seconds", times.nice)
      .field("system_seconds", times.system);
  json.field("idle_seconds", times.idle)
      .field("iowait_seconds", times.iowait)
      .field("irq_seconds", times.irq);
  json.field("softirq_seconds", times.softirq).field("steal_seconds", times.steal);
}

void append_cpu(JsonWriter& json, const SystemSample& sample) {
  json.key("cpu").begin_object();
  append(json, "usage_percent", sample.cpu_usage_percent);
  append(json, sample.cpu);
  json.key("cores").begin_array();
  for (const CoreSample& core : sample.cores) {
    json.begin_object().field("core", core.core);
    append(json, "usage_percent", core.usage_percent);
    append(json, core.times);
    json.end_object();
  }
  json.end_array().end_object();
}

void append_memory(JsonWriter& json, const MemorySample& memory) {
  json.key("memory").begin_object();
  json.field("total_bytes", memory.total_bytes).field("free_bytes", memory.free_bytes);
  json.field("available_bytes", memory.available_bytes).field("buffers_bytes", memory.buffers_bytes);
  json.field("cached_bytes", memory.cached_bytes);
  json.field("swap_total_bytes", memory.swap_total_bytes).field("swap_free_bytes", memory.swap_free_bytes);
  json.end_object();
}

void append_load(JsonWriter& json, const LoadSample& load) {
  json.key("load").begin_object();
  json.field("one", load.one).field("five", load.five).field("fifteen", load.fifteen).end_object();
}

void append_disks(JsonWriter& json, const SystemSample& sample) {
  json.key("disks").begin_array();
  for (const DiskSample& disk : sample.disks) {
    json.begin_object().field("device", disk.device).field("reads", disk.reads).field("writes", disk.writes);
    json.field("read_bytes", disk.read_bytes).field("written_bytes", disk.written_bytes);
    json.field("read_seconds", disk.read_seconds).field("write_seconds", disk.write_seconds);
    json.field("busy_seconds", disk.busy_seconds).end_object();
  }
  json.end_array();
}

void append_networks(JsonWriter& json, const SystemSample& sample) {
  json.key("networks").begin_array();
  for (const NetworkSample& network : sample.networks) {
    json.begin_object().field("device", network.device);
    json.field("rx_bytes", network.rx_bytes).field("tx_bytes", network.tx_bytes);
    json.field("rx_packets", network.rx_packets).field("tx_packets", network.tx_packets);
    json.field("rx_errors", network.rx_errors).field("tx_errors", network.tx_errors);
    json.field("rx_dropped", network.rx_dropped).field("tx_dropped", network.tx_dropped).end_object();
  }
  json.end_array();
}

void append_pressures(JsonWriter& json, const SystemSample& sample) {
  json.key("pressure").begin_object();
  for (const PressureSample& pressure : sample.pressures) {
    json.key(pressure.resource).begin_object();
    json.field("some_seconds", pressure.some_seconds)
        .field("some_avg10_percent", pressure.some_avg10_percent);
    append(json, "full_seconds", pressure.full_seconds);
    append(json, "full_avg10_percent", pressure.full_avg10_percent);
    json.end_object();
  }
  json.end_object();
}

void append_cgroup(JsonWriter& json, const CgroupSample& cgroup) {
  json.key("cgroup").begin_object().field("version", cgroup.version);
  append(json, "memory_limit_bytes", cgroup.memory_limit_bytes);
  append(json, "memory_usage_bytes", cgroup.memory_usage_bytes);
  append(json, "oom_kills", cgroup.oom_kills);
  append(json, "cpu_limit_cores", cgroup.cpu_limit_cores);
  append(json, "cpu_usage_seconds", cgroup.cpu_usage_seconds);
  append(json, "cpu_periods", cgroup.cpu_periods);
  append(json, "cpu_throttled_periods", cgroup.cpu_throttled_periods);
  append(json, "cpu_throttled_seconds", cgroup.cpu_throttled_seconds);
  append(json, "processes_limit", cgroup.processes_limit);
  append(json, "processes", cgroup.processes);
  json.end_object();
}

}  // namespace

void append_system_json(JsonWriter& json, const SystemSample& sample) {
  json.begin_object().field("timestamp", format_timestamp(sample.timestamp));
  json.field("uptime_seconds", sample.uptime_seconds);
  append_cpu(json, sample);
  if (sample.memory) append_memory(json, *sample.memory);
  if (sample.load) append_load(json, *sample.load);
  append_disks(json, sample);
  append_networks(json, sample);
  if (!sample.pressures.empty()) append_pressures(json, sample);
  if (sample.cgroup) append_cgroup(json, *sample.cgroup);
  json.field("processes_forked", sample.processes_forked)
      .field("processes_running", sample.processes_running);
  json.field("processes_blocked", sample.processes_blocked)
      .field("context_switches", sample.context_switches);
  json.end_object();
}

}  // namespace metricsd::tools
