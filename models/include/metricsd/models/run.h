// A run: what was tested, when, with what. The content of test_config.json.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd {

struct Run {
  std::string test_run_id;
  std::string test_name;
  std::optional<Timestamp> start_time;
  std::optional<Timestamp> end_time;
  std::string scenario;
  std::string workload_type;
  std::string driver;
  std::uint64_t num_users = 0;
  double spawn_rate = 0;    // users a second
  std::string test_config;  // these four: compact JSON text of an object; empty for {}
  std::string environment;
  std::string client_info;
  std::string tags;

  // From start to end in seconds, both cut to microseconds; nothing while the run goes on.
  [[nodiscard]] std::optional<double> duration_seconds() const;
};

// `[A-Za-z0-9._-]{1,64}` without a leading dot: safe as part of a path.
[[nodiscard]] bool is_run_id(std::string_view text) noexcept;

// 128 random bits as 32 hex digits: a test_run_id for those who give none, and a client's id.
[[nodiscard]] std::string random_id();

// `text` with every character outside [A-Za-z0-9._-] replaced by `_`, so that it is one path component.
[[nodiscard]] std::string path_component(std::string_view text);

// The name of the run's directory: `<test_name>_<YYYYmmddTHHMMSSZ>_<first 8 of the run id>`, at most 255
// bytes.
[[nodiscard]] std::string run_directory_name(const Run& run);

}  // namespace metricsd
