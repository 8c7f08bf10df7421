// What a line of the socket can say (docs/wire-protocol.md). An object without `type` is an operation, one of
// type `batch` many of them (batch.h); these are the others.
#pragma once

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/kinds/histogram.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/run.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace metricsd::ipc {

// The version of the acknowledged protocol that this library speaks.
inline constexpr std::uint32_t kProtocol = 1;

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
  std::vector<double> values;             // one; of a histogram one or more observations,
  std::optional<HistogramDelta> delta{};  // or, without `values`, observations that the sender has counted
};

// Where the first of several consecutive records stands in its stream. Numbers begin with 1.
struct StreamPosition {
  std::uint32_t stream = 0;
  std::uint64_t first_seq = 0;
};

// A row that is not a sample.
struct RefusedRow {
  std::size_t row = 0;  // its place among all rows
  Errc reason{};

  bool operator==(const RefusedRow&) const = default;
};

struct SamplesMessage {
  std::optional<StreamPosition> position{};  // of the first row, where the sender wants them acknowledged
  std::vector<Sample> samples;
  std::vector<RefusedRow> refused;  // in the order of their places
};

// Losses of the sender, cumulative: since the connection began, and, of one that said hello, since the client
// began.
struct HeartbeatMessage {
  DropCounts dropped;
  std::optional<DropCounts> total{};
};

// The first line of a connection that wants its records acknowledged: who speaks, and from where on it can
// send each of its streams.
struct HelloMessage {
  std::uint32_t protocol = kProtocol;
  std::string client_id;  // 128 bits in hex
  std::uint64_t pid = 0;
  std::vector<StreamPosition> streams;
};

// How far a stream has come: the last record folded, and the last one that also outlives the daemon.
struct StreamProgress {
  std::uint32_t stream = 0;
  std::uint64_t folded = 0;
  std::uint64_t durable = 0;
};

// The answer to a hello: what the daemon has of each of the client's streams.
struct WelcomeMessage {
  std::uint32_t protocol = kProtocol;
  std::string store_id;  // of what the daemon counts into: another one knows nothing of the client
  std::vector<StreamProgress> streams;
  std::optional<bool> known{};  // whether the store had heard of the client; older daemons do not say
  bool forgotten = false;       // it had, and does not know any more what it counted: the daemon hangs up
};

struct AckMessage {
  std::vector<StreamProgress> streams;
};

// Asks for an acknowledgement now.
struct FlushMessage {};

// All that the client sent is acknowledged, and it goes.
struct ByeMessage {};

// Hands in the segment of a process that is gone; its descriptor comes along.
struct AdoptMessage {};

// The error of an answer where too many are being handed in: to be tried again.
inline constexpr std::string_view kAdoptionBusy = "busy";

// The answer, once what the segment held is durable, or why it was not taken.
struct AdoptedMessage {
  std::string client_id;
  std::uint64_t records = 0;     // that were not known before
  std::uint64_t file_lines = 0;  // that the run's file got
  bool whole = false;            // nothing is left to deliver, to the run's file neither
  std::string error{};           // for a person; empty: it was taken
};

// Which of all samples of tasks this is: a sender that may tell a sample again says so each time.
struct TaskSampleOrigin {
  std::string sender_id;
  std::uint64_t number = 0;  // from 1; grows with each sample of the sender

  friend bool operator==(const TaskSampleOrigin&, const TaskSampleOrigin&) = default;
};

// What a task's processes, or those of one role, cost and use now. The newest are kept as they are, whatever
// they say.
struct TaskSampleMessage {
  std::string task_id;
  std::string node{};  // where they run
  std::string role{};  // empty: the whole task
  std::uint64_t pid = 0;
  std::uint64_t history_size = limits::kTaskHistoryUsual;  // how many of the task and role are kept
  double interval = 0;                                     // seconds to the next one; 0: not known
  std::string metrics;                                     // a JSON object without white space
  std::string aggregated{};                                // likewise, over all samples; empty: not told
  std::optional<TaskSampleOrigin> origin{};                // nothing: it is told once
};

// A type this daemon does not know: counted and ignored, so that it bears newer senders.
struct UnknownMessage {
  std::string type;
};

using Message =
    std::variant<UsersMessage, RunStartMessage, RunEndMessage, StatusRequest, DefineMessage, SamplesMessage,
                 HeartbeatMessage, HelloMessage, WelcomeMessage, AckMessage, FlushMessage, ByeMessage,
                 AdoptMessage, AdoptedMessage, TaskSampleMessage, UnknownMessage>;

// A line that was not taken, and why.
struct Refusal {
  Errc reason = Errc::malformed_json;
  std::string detail;  // the field at fault, or ""
};

}  // namespace metricsd::ipc
