#include "proc_stat.h"

#include "kernel_units.h"
#include "text_scanner.h"

#include <optional>

namespace metricsd::tools {

namespace {

// Older kernels have fewer columns: what is not there is 0.
std::optional<CpuTimes> decode_times(TextScanner& line) {
  CpuTimes times;
  unsigned columns = 0;
  for (double* const mode : {&times.user, &times.nice, &times.system, &times.idle, &times.iowait, &times.irq,
                             &times.softirq, &times.steal}) {
    const auto ticks = line.number();
    if (!ticks) break;
    *mode = ticks_to_seconds(*ticks);
    ++columns;
  }
  constexpr unsigned kFewest = 4;  // up to idle
  return columns >= kFewest ? std::optional(times) : std::nullopt;
}

void read_core(std::string_view number, TextScanner& line, SystemSample& sample, std::size_t& cores) {
  const auto core = TextScanner::as_number<unsigned>(number);
  const auto times = decode_times(line);
  if (!core || !times) return;
  if (cores == sample.cores.size()) sample.cores.emplace_back();
  sample.cores[cores].core = *core;
  sample.cores[cores].times = *times;
  ++cores;
}

void read_count(std::string_view key, TextScanner& line, SystemSample& sample) {
  std::uint64_t* const count = key == "ctxt"            ? &sample.context_switches
                               : key == "processes"     ? &sample.processes_forked
                               : key == "procs_running" ? &sample.processes_running
                               : key == "procs_blocked" ? &sample.processes_blocked
                                                        : nullptr;
  if (count != nullptr) *count = line.number().value_or(*count);
}

}  // namespace

bool read_proc_stat(std::string_view text, SystemSample& sample) {
  constexpr std::string_view kCpu = "cpu";
  TextScanner lines(text);
  if (lines.word() != kCpu) return false;
  const auto all = decode_times(lines);
  if (!all) return false;
  sample.cpu = *all;
  std::size_t cores = 0;
  while (lines.next_line()) {
    const std::string_view key = lines.word();
    if (key.starts_with(kCpu)) {
      read_core(key.substr(kCpu.size()), lines, sample, cores);
    } else {
      read_count(key, lines, sample);
    }
  }
  sample.cores.resize(cores);
  return true;
}

}  // namespace metricsd::tools
