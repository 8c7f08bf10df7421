#include "prepared_segment.h"

#include <metricsd/ipc/queue_reader.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <utility>

namespace metricsd::server {

Result<PreparedSegment> PreparedSegment::of(ipc::SegmentReader reader, std::shared_ptr<const UniqueFd> file,
                                            uid_t uid) {
  auto names = reader.read_names();
  if (!names) return names.error();
  PreparedSegment prepared{.file = std::move(file),
                           .uid = uid,
                           .reader = std::move(reader),
                           .names = *std::move(names),
                           .first_queued = {},
                           .queued = 0};
  ipc::QueueReader queue(prepared.reader);
  ipc::QueuedLine line;
  while (true) {
    const Result<bool> more = queue.skip(line);
    if (!more) return more.error();
    if (!*more) return prepared;
    prepared.queued += std::min(line.last_seq - line.first_seq + 1, limits::kWhole - prepared.queued);
    std::uint64_t& first = prepared.first_queued.try_emplace(line.stream, line.first_seq).first->second;
    first = std::min(first, line.first_seq);
  }
}

}  // namespace metricsd::server
