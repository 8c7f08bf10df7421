// What each process leaves of its part in a run: one JSON line in the run's members' file. The last process
// adds the lines up to what the run's own files say.
#pragma once

#include <metricsd/models/run.h>
#include <metricsd/models/summary.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::client {

struct MemberRecord {
  std::string client_id;
  std::int64_t pid = 0;
  Timestamp start_time;
  Timestamp end_time;
  std::uint64_t users = 0;     // the most it had at once
  std::uint64_t recorded = 0;  // operations
  DropCounts dropped;
};

// Appends the record and a newline.
void append_member(std::string& out, const MemberRecord& member);

// The records of a members' file; lines that are none are passed over.
[[nodiscard]] std::vector<MemberRecord> parse_members(std::string_view content);

// Sets the run's start to the earliest, its end to the latest and its users to the sum; returns the sums of
// losses.
[[nodiscard]] DropCounts merge_members(const std::vector<MemberRecord>& members, Run& run);

}  // namespace metricsd::client
