// The metric families of processes and of the machine: names, units, labels, the same wherever they are told.
#pragma once

#include <metricsd/models/family.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace metricsd::tools {

struct MetricFamily {
  Kind kind;
  std::string_view name;  // behind the namespace, unit and `_total` included
  std::string_view unit;
  std::string_view help;
  std::array<std::string_view, 3> labels{};  // as many as are not empty
  Merge merge = Merge::sum;                  // of gauges

  [[nodiscard]] std::size_t label_count() const {
    std::size_t count = 0;
    while (count < labels.size() && !labels[count].empty()) ++count;
    return count;
  }
  [[nodiscard]] std::string name_in(std::string_view metric_namespace) const {
    return std::string(metric_namespace).append("_").append(name);
  }
};

// Upper bounds of collection durations, in seconds: ten microseconds a process.
inline constexpr std::array kCollectionBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                              0.01,   0.025,   0.05,   0.1,   0.25,   1.0};

// Of processes. A role's counters hold what those that have ended came to.
inline constexpr MetricFamily kProcessCpu{Kind::counter,
                                          "process_cpu_seconds_total",
                                          "seconds",
                                          "CPU time of the job's processes, ended ones included.",
                                          {"job_name", "role", "mode"}};
inline constexpr MetricFamily kProcessResident{
    Kind::gauge,
    "process_resident_memory_bytes",
    "bytes",
    "Resident memory of the job's processes; shared pages count for each.",
    {"job_name", "role"}};
inline constexpr MetricFamily kProcessVirtual{Kind::gauge,
                                              "process_virtual_memory_bytes",
                                              "bytes",
                                              "Virtual memory of the job's processes.",
                                              {"job_name", "role"}};
inline constexpr MetricFamily kProcessDisk{Kind::counter,
                                           "process_disk_bytes_total",
                                           "bytes",
                                           "Bytes that the job's processes had storage read and write.",
                                           {"job_name", "role", "direction"}};
inline constexpr MetricFamily kProcessNetwork{Kind::counter,
                                              "process_network_bytes_total",
                                              "bytes",
                                              "Bytes through the network namespaces that the job's processes "
                                              "live in, whoever sent them; each counted once.",
                                              {"job_name", "direction"}};
inline constexpr MetricFamily kProcessThreads{
    Kind::gauge, "process_threads", "", "Threads of the job's processes.", {"job_name", "role"}};
inline constexpr MetricFamily kProcessOpenFds{Kind::gauge,
                                              "process_open_fds",
                                              "",
                                              "File descriptors that the job's processes have open.",
                                              {"job_name", "role"}};
inline constexpr MetricFamily kProcessStartTime{Kind::gauge,
                                                "process_start_time_seconds",
                                                "seconds",
                                                "When the role's first process began, in seconds since 1970.",
                                                {"job_name", "role"},
                                                Merge::last};
inline constexpr MetricFamily kProcesses{
    Kind::gauge, "processes", "", "Living processes of the job.", {"job_name", "role"}};
inline constexpr MetricFamily kProcessCollection{Kind::histogram,
                                                 "process_collection_duration_seconds",
                                                 "seconds",
                                                 "How long it took to look at the job's processes once.",
                                                 {"job_name"}};

// Of the machine, as the job that watches it saw it: two that do are told apart.
inline constexpr MetricFamily kSystemCpu{Kind::counter,
                                         "system_cpu_seconds_total",
                                         "seconds",
                                         "CPU time of the machine since it was booted.",
                                         {"job_name", "cpu", "mode"}};
inline constexpr MetricFamily kSystemMemory{
    Kind::gauge, "system_memory_bytes", "bytes", "Memory of the machine.", {"job_name", "state"}};
inline constexpr MetricFamily kSystemSwap{
    Kind::gauge, "system_swap_bytes", "bytes", "Swap space of the machine.", {"job_name", "state"}};
inline constexpr MetricFamily kSystemLoad{Kind::gauge,
                                          "system_load_average",
                                          "",
                                          "Tasks that run or wait, averaged over so many minutes.",
                                          {"job_name", "minutes"}};
inline constexpr MetricFamily kSystemDiskBytes{Kind::counter,
                                               "system_disk_bytes_total",
                                               "bytes",
                                               "Bytes read from and written to a device.",
                                               {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemDiskOperations{Kind::counter,
                                                    "system_disk_operations_total",
                                                    "",
                                                    "Reads from and writes to a device.",
                                                    {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemDiskTime{Kind::counter,
                                              "system_disk_operation_seconds_total",
                                              "seconds",
                                              "How long reads and writes took, added up.",
                                              {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemDiskBusy{Kind::counter,
                                              "system_disk_busy_seconds_total",
                                              "seconds",
                                              "How long a device had something to do.",
                                              {"job_name", "device"}};
inline constexpr MetricFamily kSystemNetworkBytes{Kind::counter,
                                                  "system_network_bytes_total",
                                                  "bytes",
                                                  "Bytes through an interface.",
                                                  {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemNetworkPackets{Kind::counter,
                                                    "system_network_packets_total",
                                                    "",
                                                    "Packets through an interface.",
                                                    {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemNetworkErrors{Kind::counter,
                                                   "system_network_errors_total",
                                                   "",
                                                   "Packets that an interface found faulty.",
                                                   {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemNetworkDropped{Kind::counter,
                                                    "system_network_dropped_total",
                                                    "",
                                                    "Packets that found no room.",
                                                    {"job_name", "device", "direction"}};
inline constexpr MetricFamily kSystemPressure{
    Kind::counter,
    "system_pressure_seconds_total",
    "seconds",
    "How long some tasks, or all that could run, waited for a resource.",
    {"job_name", "resource", "share"}};
inline constexpr MetricFamily kSystemForks{
    Kind::counter, "system_forks_total", "", "Processes and threads begun.", {"job_name"}};
inline constexpr MetricFamily kSystemSwitches{
    Kind::counter, "system_context_switches_total", "", "Changes from one task to another.", {"job_name"}};
inline constexpr MetricFamily kSystemTasks{
    Kind::gauge, "system_tasks", "", "Tasks that can run, and that wait for I/O.", {"job_name", "state"}};
inline constexpr MetricFamily kSystemUptime{Kind::gauge,  "system_uptime_seconds",
                                            "seconds",    "How long ago the machine was booted.",
                                            {"job_name"}, Merge::last};

}  // namespace metricsd::tools
