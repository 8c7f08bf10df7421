// A dead client's segment as a shard needs it to fold it: what takes its time to read, however much of it
// there is, has been read before, on the adopter's thread.
#pragma once

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <map>
#include <memory>

#include <sys/types.h>

namespace metricsd::server {

struct PreparedSegment {
  // `file` is that of the reader. Errors: those of reading.
  [[nodiscard]] static Result<PreparedSegment> of(ipc::SegmentReader reader,
                                                  std::shared_ptr<const UniqueFd> file, uid_t uid);

  std::shared_ptr<const UniqueFd> file;  // as long as anything of it is read
  uid_t uid = 0;
  ipc::SegmentReader reader;
  ipc::SegmentNames names;
  std::map<std::uint32_t, std::uint64_t> first_queued;  // of each stream that has something in the queue
  std::uint64_t queued = 0;                             // records there
};

}  // namespace metricsd::server
