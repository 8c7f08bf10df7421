#include "aggregate.h"

#include "cpu_share.h"

#include <algorithm>

namespace metricsd::tools {

namespace {

template <class T>
void write_or_null(JsonWriter& json, std::string_view key, const std::optional<T>& value) {
  json.key(key);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

// Of a figure that only rises: what could not be read is what it was.
void grow_to(std::optional<std::uint64_t>& total, const std::optional<std::uint64_t>& value) {
  if (value) total = std::max(total.value_or(0), *value);
}

}  // namespace

void Aggregate::add(const ProcessSample& sample, std::int64_t at_ns, std::int64_t began_ns) {
  ++sample_count_;
  add_cpu(sample, at_ns, began_ns);
  if (const std::uint64_t memory = sample.memory_usage_bytes.value_or(0); memory != 0) {
    memory_sum_ += static_cast<double>(memory);
    ++memory_samples_;
    note_peak_memory(memory);
  }
  grow_to(disk_read_, sample.disk_read_bytes);
  grow_to(disk_write_, sample.disk_write_bytes);
  grow_to(network_rx_, sample.network_rx_bytes);
  grow_to(network_tx_, sample.network_tx_bytes);
}

// Averaged is what is known: where it is lost what a process did last, neither that CPU time counts nor its
// time.
void Aggregate::add_cpu(const ProcessSample& sample, std::int64_t at_ns, std::int64_t began_ns) {
  const double seconds = std::max(cpu_seconds_, sample.cpu_user_seconds + sample.cpu_system_seconds);
  const bool is_first = sample_count_ == 1;
  if (is_first) {
    at_ns_ = began_ns;
    cpu_seconds_ = at_ns > began_ns ? 0 : seconds;
  }
  if (is_first || sample.cpu_usage_percent) {
    averaged_seconds_ += seconds - cpu_seconds_;
    averaged_ns_ += at_ns - at_ns_;
  }
  at_ns_ = at_ns;
  cpu_seconds_ = seconds;
  if (sample.cpu_usage_percent) {
    max_cpu_usage_ = std::max(max_cpu_usage_.value_or(0), *sample.cpu_usage_percent);
  }
}

void Aggregate::note_peak_memory(std::uint64_t bytes) {
  grow_to(max_memory_usage_, bytes);
}

// Nothing where CPU was not looked at, or where no time went by.
std::optional<double> Aggregate::avg_cpu_usage() const {
  if (!max_cpu_usage_ || averaged_ns_ <= 0) return std::nullopt;
  constexpr double kPercent = 100;
  return within_machine(kPercent * averaged_seconds_ / (static_cast<double>(averaged_ns_) / kNsPerSecond));
}

std::optional<double> Aggregate::avg_memory_usage() const {
  if (memory_samples_ == 0) return std::nullopt;
  return memory_sum_ / static_cast<double>(memory_samples_);
}

void Aggregate::write(JsonWriter& json) const {
  json.begin_object();
  write_or_null(json, "avg_cpu_usage", avg_cpu_usage());
  write_or_null(json, "max_cpu_usage", max_cpu_usage());
  write_or_null(json, "avg_memory_usage", avg_memory_usage());
  write_or_null(json, "max_memory_usage", max_memory_usage());
  write_or_null(json, "total_disk_read", total_disk_read());
  write_or_null(json, "total_disk_write", total_disk_write());
  write_or_null(json, "total_network_rx", total_network_rx());
  write_or_null(json, "total_network_tx", total_network_tx());
  json.field("sample_count", sample_count_).end_object();
}

}  // namespace metricsd::tools
