// The end of a process's part in a run, and, by the run's last process, of the run.
#pragma once

#include "run_membership.h"

#include <metricsd/exporters/member_record.h>
#include <metricsd/models/run.h>

#include <string>
#include <vector>

namespace metricsd::client {

struct CompletionOptions {
  std::vector<std::string> formats;  // each once
  bool csv_raw = false;
  bool csv_bom = false;
};

struct Completion {
  bool complete = false;  // this was the last; `problems` names files that could not be written
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  std::string summary_json;  // this and the tables are empty where there is no summary
  std::string plain_table;
  std::string coloured_table;
};

// Leaves `own` for the others, gives the membership up, and completes the run where nobody else takes part.
[[nodiscard]] Completion complete_run(RunMembership& membership, const std::filesystem::path& directory,
                                      Run run, const exporters::MemberRecord& own,
                                      const CompletionOptions& options);

}  // namespace metricsd::client
