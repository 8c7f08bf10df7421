// What a line of the socket can say (docs/wire-protocol.md). An object without `type` is an operation; these
// are the others. `hello`, `welcome`, `batch`, `ack`, `flush` and `bye` belong to later versions of the
// protocol and will become alternatives here.
#pragma once

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/run.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace metricsd::ipc {

// The sender's number of active users, absolute. Labels not given are those of the connection's run.
struct UsersMessage {
  std::uint64_t count = 0;
  std::optional<std::string> workload_type;
  std::optional<std::string> driver;
  std::optional<std::string> scenario;
};

// What follows on this connection belongs to this run.
struct RunStartMessage {
  Run run;
};

struct RunEndMessage {
  std::string test_run_id;
};

// Answered with one line: the JSON of /api/v1/status.
struct StatusRequest {};

// Binds `id`, for this connection, to a family of any name.
struct DefineMessage {
  std::uint32_t id = 0;
  FamilySpec spec;
};

// Values for series of defined families: counters and histograms take deltas, gauges an absolute value.
struct Sample {
  std::uint32_t id = 0;
  LabelValues labels;
  std::vector<double> values;  // one; of a histogram one or more observations
};

struct SamplesMessage {
  std::vector<Sample> samples;
  std::vector<Errc> refused;  // one for each row that is not a sample
};

// Losses of the sender since the connection began, cumulative.
struct HeartbeatMessage {
  DropCounts dropped;
};

// A type this daemon does not know: counted and ignored, so that it bears newer senders.
struct UnknownMessage {
  std::string type;
};

using Message = std::variant<UsersMessage, RunStartMessage, RunEndMessage, StatusRequest, DefineMessage,
                             SamplesMessage, HeartbeatMessage, UnknownMessage>;

// A line that was not taken, and why.
struct Refusal {
  Errc reason = Errc::malformed_json;
  std::string detail;  // the field at fault, or ""
};

}  // namespace metricsd::ipc
