// What a whole run came to in nine figures, whatever part of its samples is still remembered.
#pragma once

#include "process_sample.h"

#include <metricsd/models/json/writer.h>

#include <cstdint>
#include <optional>

namespace metricsd::tools {

// The sum of what the samples of one task, or of one of its roles, told. What no sample told is nothing.
// One thread; 100 bytes, however many samples.
class Aggregate {
 public:
  // Samples in the order they were taken, each at `at_ns` of a clock that never jumps. CPU time is counted
  // from `began_ns` of the same clock, when nothing had been used: the sample that was taken then has what
  // does not count.
  void add(const ProcessSample& sample, std::int64_t at_ns, std::int64_t began_ns);
  // A peak that was seen otherwise than by a sample: the kernel's own.
  void note_peak_memory(std::uint64_t bytes);

  [[nodiscard]] std::uint64_t sample_count() const { return sample_count_; }
  // Percent of one core: the CPU time by the time, both from the beginning to the last sample, without the
  // samples that could not tell; the greatest of a sample.
  [[nodiscard]] std::optional<double> avg_cpu_usage() const;
  [[nodiscard]] std::optional<double> max_cpu_usage() const { return max_cpu_usage_; }
  // Bytes: the mean of the samples that found something alive; the greatest.
  [[nodiscard]] std::optional<double> avg_memory_usage() const;
  [[nodiscard]] std::optional<std::uint64_t> max_memory_usage() const { return max_memory_usage_; }
  // Bytes.
  [[nodiscard]] std::optional<std::uint64_t> total_disk_read() const { return disk_read_; }
  [[nodiscard]] std::optional<std::uint64_t> total_disk_write() const { return disk_write_; }
  [[nodiscard]] std::optional<std::uint64_t> total_network_rx() const { return network_rx_; }
  [[nodiscard]] std::optional<std::uint64_t> total_network_tx() const { return network_tx_; }

  // The object with exactly avg_cpu_usage, max_cpu_usage, avg_memory_usage, max_memory_usage,
  // total_disk_read, total_disk_write, total_network_rx, total_network_tx, sample_count.
  void write(JsonWriter& json) const;

 private:
  void add_cpu(const ProcessSample& sample, std::int64_t at_ns, std::int64_t began_ns);

  std::uint64_t sample_count_ = 0;
  std::optional<double> max_cpu_usage_;
  double cpu_seconds_ = 0;  // at the last sample
  std::int64_t at_ns_ = 0;  // of it
  double averaged_seconds_ = 0;
  std::int64_t averaged_ns_ = 0;
  double memory_sum_ = 0;
  std::uint64_t memory_samples_ = 0;
  std::optional<std::uint64_t> max_memory_usage_;
  std::optional<std::uint64_t> disk_read_, disk_write_, network_rx_, network_tx_;
};

}  // namespace metricsd::tools
