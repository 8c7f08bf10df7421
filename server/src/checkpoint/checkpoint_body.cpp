#include "checkpoint_body.h"

#include "../running_clock.h"

#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace metricsd::server {
namespace {

constexpr std::size_t kStoreId = 32;
constexpr std::size_t kMostShards = 1024;
constexpr std::uint64_t kLatest = std::uint64_t{1} << 62;  // the year 2116
constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

}  // namespace

std::string encode(const CheckpointHead& head, const std::vector<std::string>& cuts) {
  std::string body;
  body.reserve(
      std::accumulate(cuts.begin(), cuts.end(), std::size_t{128},
                      [](std::size_t sum, const std::string& cut) { return sum + cut.size() + 16; }));
  StateWriter out(body);
  out.text(head.store_id);
  out.u64(static_cast<std::uint64_t>(std::max<std::int64_t>(head.at.ns, 0)));
  out.i64(head.running_ns);
  out.u64(head.failures);
  out.u64(cuts.size());
  for (const std::string& cut : cuts) out.text(cut);
  return body;
}

std::optional<CheckpointBody> decode_checkpoint(std::string_view body) {
  StateReader in(body);
  CheckpointBody read;
  read.head.store_id = in.text(kStoreId);
  read.head.at = {static_cast<std::int64_t>(in.u64(kLatest))};
  read.head.running_ns = load_running_ns(in);
  read.head.failures = in.u64();
  for (std::size_t left = in.count(kMostShards, 1); left > 0; --left) read.cuts.push_back(in.text(kAny));
  if (in.failed() || !in.at_end()) return std::nullopt;
  return read;
}

}  // namespace metricsd::server
