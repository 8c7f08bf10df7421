#include "diskstats.h"

#include "text_scanner.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/text.h>

#include <array>
#include <cstdint>

namespace metricsd::tools {

namespace {

constexpr std::size_t kName = 64;
constexpr std::uint64_t kSector = 512;  // in this file, whatever the disk's are

double ms_to_seconds(std::uint64_t ms) {
  return static_cast<double>(ms) / 1000;
}

}  // namespace

bool read_disk(std::string_view line, DiskSample& disk) {
  TextScanner scanner(line);
  scanner.skip_words(2);  // the device's numbers
  const std::string_view name = scanner.word();
  std::array<std::uint64_t, 11> fields{};  // from field 1 on, at its number
  for (std::size_t field = 1; field < fields.size(); ++field) {
    const auto number = scanner.number();
    if (!number || *number > limits::kWhole / kSector) return false;
    fields[field] = *number;
  }
  assign_clean(disk.device, name, kName);
  disk.reads = fields[1];
  disk.read_bytes = fields[3] * kSector;
  disk.read_seconds = ms_to_seconds(fields[4]);
  disk.writes = fields[5];
  disk.written_bytes = fields[7] * kSector;
  disk.write_seconds = ms_to_seconds(fields[8]);
  disk.busy_seconds = ms_to_seconds(fields[10]);
  return true;
}

}  // namespace metricsd::tools
