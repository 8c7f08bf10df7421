// What each process leaves of its part in a run: one JSON line in the run's members' file. The last process
// adds the lines up to what the run's own files say.
#pragma once

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/run.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::exporters {

inline constexpr std::string_view kMembersFile = ".members.jsonl";

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

// The records of a directory's members' file. Not for a process that takes part in the run itself: closing
// the file would give up the locks by which it does. Errors: those of reading.
[[nodiscard]] Result<std::vector<MemberRecord>> read_members(const std::filesystem::path& directory);

// Sets the run's start to the earliest, its end to the latest and its users to the sum; returns the sums of
// losses. Who recorded nothing (a parent that waits for its children) does not draw out the end, unless
// nobody recorded anything.
[[nodiscard]] DropCounts merge_members(const std::vector<MemberRecord>& members, Run& run);

}  // namespace metricsd::exporters
