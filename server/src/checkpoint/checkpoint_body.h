// What a frame's body says: a cut of each shard, made together, and what there is only one of.
//
//   body = store_id at running failures count cut*
//
//   store_id    text      of what the daemon counts into: names the data directory to clients
//   at          u64       when the cuts were made, by the wall clock
//   running     i64       the same on the daemon's own clock, which the next life goes on from
//   failures    u64       checkpoints that failed so far
//   cut         text      of each shard, as long as there are; of an increment what changed
#pragma once

#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

struct CheckpointHead {
  std::string store_id;
  Timestamp at{};
  std::int64_t running_ns = 0;
  std::uint64_t failures = 0;
};

struct CheckpointBody {
  CheckpointHead head;
  std::vector<std::string_view> cuts;  // in the bytes given
};

[[nodiscard]] std::string encode(const CheckpointHead& head, const std::vector<std::string>& cuts);
// Takes any bytes; nothing where encode() has not written them.
[[nodiscard]] std::optional<CheckpointBody> decode_checkpoint(std::string_view body);

}  // namespace metricsd::server
