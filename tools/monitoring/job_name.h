// The name that tells one run of a task from every other: `<name>_<unix seconds>`.
#pragma once

#include <metricsd/models/timestamp.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace metricsd::tools {

// Whether it can be the name in front: 1 to 200 bytes of clean UTF-8, so that the whole is a label's value.
[[nodiscard]] bool is_job_base(std::string_view text);

// `<base>_<seconds>`, of the second of `at` or the first one after it that no job of this user with that name
// has had. A job leaves an empty file in `directory` for a minute, which is made where it is missing; where
// that can not be, the second is that of `at`.
[[nodiscard]] std::string claim_job_name(const std::filesystem::path& directory, std::string_view base,
                                         Timestamp at);

// Where the jobs of this user leave them: beside the daemon's socket as a client would find it.
[[nodiscard]] std::filesystem::path job_directory();

}  // namespace metricsd::tools
