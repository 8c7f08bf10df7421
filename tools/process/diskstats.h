// /proc/diskstats (the kernel's admin-guide/iostats): a line each for disks and their partitions.
//
//   reads           field 1
//   read_bytes      field 3, sectors of 512 bytes
//   read_seconds    field 4, milliseconds
//   writes          field 5
//   written_bytes   field 7, sectors
//   write_seconds   field 8
//   busy_seconds    field 10
#pragma once

#include "system_sample.h"

#include <string_view>

namespace metricsd::tools {

// Sets `disk`, whose name keeps its memory, to what one line says. False where it is none.
bool read_disk(std::string_view line, DiskSample& disk);

}  // namespace metricsd::tools
