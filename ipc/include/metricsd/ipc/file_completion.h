// Gives a run's operations.jsonl the lines of a dead process that it lacks, each once: what a segment says of
// them is compared with what the file says.
//
// May be killed at any moment and begun again. Others may append to the file meanwhile. The caller holds the
// segment's lock.
#pragma once

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>

#include <cstdint>
#include <filesystem>

#include <sys/types.h>

namespace metricsd::ipc {

// Whether the file may lack some of the segment's lines.
[[nodiscard]] bool may_lack_lines(const SegmentReader& segment);

// Completes `directory`/operations.jsonl from `segment`, whose file is open for writing, and says how many
// lines that took. Where there is no such file any more nothing is to do. Errors: endpoint_untrusted for a
// file that is a link, or that does not belong to `owner`; those of reading and writing.
[[nodiscard]] Result<std::uint64_t> complete_file(const SegmentReader& segment,
                                                  const std::filesystem::path& directory, uid_t owner);

}  // namespace metricsd::ipc
