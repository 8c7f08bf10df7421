#include "system_sampler.h"

#include "boot_time.h"
#include "cgroups.h"
#include "diskstats.h"
#include "kernel_files.h"
#include "loadavg.h"
#include "meminfo.h"
#include "net_dev.h"
#include "pressure.h"
#include "proc_stat.h"
#include "text_scanner.h"

#include <metricsd/models/text.h>

#include <algorithm>

namespace metricsd::tools {

namespace {

constexpr std::size_t kDeviceName = 64;

std::optional<double> percent(double before, double now, const std::optional<std::int64_t>& elapsed_ns) {
  if (!elapsed_ns || *elapsed_ns <= 0) return std::nullopt;
  return 100.0 * std::max(0.0, now - before) * kNsPerSecond / static_cast<double>(*elapsed_ns);
}

void read_networks(std::string_view text, std::vector<NetworkSample>& networks) {
  std::size_t count = 0;
  TextScanner lines(text);
  do {
    const auto device = decode_net_device(lines.rest_of_line());
    if (!device) continue;
    if (count == networks.size()) networks.emplace_back();
    NetworkSample& sample = networks[count++];
    assign_clean(sample.device, device->name, kDeviceName);
    sample.rx_bytes = device->rx_bytes;
    sample.tx_bytes = device->tx_bytes;
    sample.rx_packets = device->rx_packets;
    sample.tx_packets = device->tx_packets;
    sample.rx_errors = device->rx_errors;
    sample.tx_errors = device->tx_errors;
    sample.rx_dropped = device->rx_dropped;
    sample.tx_dropped = device->tx_dropped;
  } while (lines.next_line());
  networks.resize(count);
}

void read_disks(std::string_view text, std::vector<DiskSample>& disks) {
  std::size_t count = 0;
  TextScanner lines(text);
  do {
    if (count == disks.size()) disks.emplace_back();
    DiskSample& disk = disks[count];
    if (read_disk(lines.rest_of_line(), disk) && disk.reads + disk.writes > 0) ++count;
  } while (lines.next_line());
  disks.resize(count);
}

}  // namespace

class SystemSampler::Impl {
 public:
  Impl(const Roots& roots, const Clock& clock) : clock_(clock), proc_(roots.proc), cgroups_(roots) {}

  const SystemSample& sample();

 private:
  template <class Use>
  bool with(const char* path, Use use);
  void read_cpu(std::int64_t now_ns);
  void read_pressures();

  const Clock& clock_;
  KernelFiles proc_;
  Cgroups cgroups_;
  SystemSample sample_;
  BootTime boot_time_;
  std::vector<std::pair<unsigned, double>> busy_before_;  // seconds, by core
  double all_busy_before_ = 0;
  std::optional<std::int64_t> cpu_read_ns_;
};

// Whether the file read as it should, as use(text) says; of one that is not there the text is empty.
template <class Use>
bool SystemSampler::Impl::with(const char* path, Use use) {
  const auto text = proc_.read(path);
  const bool is_good = use(text ? *text : std::string_view()) && text;
  if (!is_good) ++sample_.unreadable;
  return is_good;
}

// Against the last time it could be read, which need not be the sample before.
void SystemSampler::Impl::read_cpu(std::int64_t now_ns) {
  sample_.cpu_usage_percent.reset();
  for (CoreSample& core : sample_.cores) core.usage_percent.reset();
  if (!with("stat", [&](std::string_view text) { return read_proc_stat(text, sample_); })) return;

  const auto elapsed_ns = cpu_read_ns_ ? std::optional(now_ns - *cpu_read_ns_) : std::nullopt;
  sample_.cpu_usage_percent = percent(all_busy_before_, sample_.cpu.busy(), elapsed_ns);
  for (CoreSample& core : sample_.cores) {
    const auto before = std::find_if(busy_before_.begin(), busy_before_.end(),
                                     [&](const auto& each) { return each.first == core.core; });
    if (before == busy_before_.end()) continue;
    core.usage_percent = percent(before->second, core.times.busy(), elapsed_ns);
  }
  cpu_read_ns_ = now_ns;
  all_busy_before_ = sample_.cpu.busy();
  busy_before_.clear();
  for (const CoreSample& core : sample_.cores) busy_before_.emplace_back(core.core, core.times.busy());
}

void SystemSampler::Impl::read_pressures() {
  sample_.pressures.clear();
  constexpr std::pair<std::string_view, const char*> kFiles[] = {
      {"cpu", "pressure/cpu"}, {"memory", "pressure/memory"}, {"io", "pressure/io"}};
  for (const auto& [resource, path] : kFiles) {
    const auto text = proc_.read(path);
    const auto pressure = text ? decode_pressure(resource, *text) : std::nullopt;
    if (pressure) sample_.pressures.push_back(*pressure);
  }
}

const SystemSample& SystemSampler::Impl::sample() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  sample_.timestamp = clock_.now();
  read_cpu(now_ns);
  with("meminfo", [&](std::string_view text) { return (sample_.memory = decode_meminfo(text)).has_value(); });
  with("loadavg", [&](std::string_view text) { return (sample_.load = decode_loadavg(text)).has_value(); });
  with("diskstats", [&](std::string_view text) { return read_disks(text, sample_.disks), true; });
  with("self/net/dev", [&](std::string_view text) { return read_networks(text, sample_.networks), true; });
  read_pressures();
  boot_time_.read(proc_, sample_.timestamp);
  sample_.uptime_seconds = boot_time_.uptime_seconds();
  sample_.cgroup = cgroups_.read("self");
  sample_.collection_duration = std::chrono::nanoseconds(clock_.monotonic_ns() - now_ns);
  return sample_;
}

SystemSampler::SystemSampler(const Roots& roots, const Clock& clock)
    : impl_(std::make_unique<Impl>(roots, clock)) {}
SystemSampler::SystemSampler(SystemSampler&&) noexcept = default;
SystemSampler& SystemSampler::operator=(SystemSampler&&) noexcept = default;
SystemSampler::~SystemSampler() = default;

const SystemSample& SystemSampler::sample() {
  return impl_->sample();
}

}  // namespace metricsd::tools
