// The public face of libmetrics-client: open a run, record operations, finish the run.
//
//   metricsd::client::Collector run({.test_name = "nightly"});
//   auto timer = run.time("upload", "bucket/key", size);
//   ...the operation...
//   timer.success();                       // or timer.failure("SlowDown", "please reduce your rate")
//   std::cout << run.finish().table();
//
// and, where each nanosecond counts, bound_operation.h's handles: run.bind("upload"), then
// upload.record({...}).
//
// Recording never blocks, never throws and never fails the workload. What could not be kept or delivered is
// counted by sink and cause, in the report, in aggregated.json and in the daemon's scrape. Standard library
// only.
//
// Memory is bounded, whatever is recorded: a ring for each thread that records and one or two spare ones
// (RunOptions::ring_bytes while all of them stay within 64 MiB, 64 KiB for each beyond; 4,095 at most),
// RunOptions::queue_bytes towards a daemon and an eighth of that (64 KiB to 1 MiB; and 8 MiB before a daemon
// of an older version), 256 KiB of samples of tasks, and about 1 MiB of its one background thread; at the end
// of a run up to 128 MiB and the text of aggregated.json while its last process writes the files.
#pragma once

#include <metricsd/client/bound_operation.h>
#include <metricsd/client/export.h>
#include <metricsd/client/metrics.h>
#include <metricsd/client/task_sample.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::client {

// What a run is and where it leaves its files. Only test_name is worth setting in the simplest case. Texts
// are UTF-8. A process that joins a run takes the run's description from its directory; its own workload_type
// and driver, where given, are those of its operations, and its num_users are added to the others'.
struct RunOptions {
  std::string test_name = "run";  // 1-256 bytes
  std::string test_run_id{};      // `[A-Za-z0-9._-]{1,64}`, no leading dot; empty: 128 random bits in hex
  std::string scenario{};         // at most 128 bytes
  std::string workload_type{};    // of operations that give none: s3, rbd, ...; `[A-Za-z0-9_.:-]{1,64}`
  std::string driver{};           // likewise; at most 128 bytes
  std::uint64_t num_users = 0;    // of this process, until set_users(); at most 2^53
  double spawn_rate = 0;          // users a second; finite, 0 or more
  // The three objects together: at most 16 MiB less what else test_config.json says.
  std::string test_config{};  // JSON object, kept as given in test_config.json
  std::string client_info{};  // JSON object
  std::string tags{};         // JSON object

  // Where the run's directory is made; and which of "jsonl", "json", "csv" the last process to finish leaves
  // there. The JSONL grows as the run goes and is always written.
  std::filesystem::path export_dir = "./metrics";
  std::vector<std::string> exports = {"jsonl", "json", "csv"};
  bool csv_raw = false;  // leave text cells that look like formulas as they are
  bool csv_bom = false;  // begin the CSV with a byte order mark
  bool write_files = true;

  // Join the run whose directory $METRICSD_RUN_DIR names, where it is set.
  bool join_from_environment = true;

  // The daemon's socket; empty: $METRICSD_SOCKET, else the usual places.
  std::string socket{};
  bool send_to_daemon = true;

  // One ring for each thread that records: 64 KiB to 64 MiB, rounded up to a power of two. An operation takes
  // 64 bytes and its texts; what a full ring cannot take is dropped{ring, full}.
  std::size_t ring_bytes = std::size_t{1} << 20;
  // How long record() may wait for a full ring's writer before it drops the operation; 0: not at all.
  std::chrono::nanoseconds full_ring_wait{0};
  // What waits for the daemon, or for its acknowledgement: 64 KiB to 1 GiB. An operation takes about 25
  // bytes.
  std::size_t queue_bytes = std::size_t{8} << 20;

  // How long finish() waits for a daemon that was there to acknowledge what is still queued; max(): until it
  // has. What is left then the daemon finds by itself, or it is counted as dropped.
  std::chrono::milliseconds finish_timeout{2000};
};

// One operation with figures you already have. Views are copied before record() returns. Texts and figures
// that break the contract of OperationMetric are repaired and cut, with a warning in the report; an
// operation_type or workload_type that breaks its rule makes the operation dropped{record, invalid}.
struct Operation {
  std::string_view operation_type;  // `[A-Za-z0-9_.:-]{1,64}`
  std::chrono::nanoseconds duration{0};
  bool success = true;
  std::string_view object_key{};        // at most 1 KiB
  std::uint64_t object_size_bytes = 0;  // at most 2^53
  std::string_view error_code{};        // at most 128 bytes
  std::string_view error_message{};     // at most 4 KiB
  std::uint64_t retry_count = 0;        // at most 2^53
  // When it started; nothing: `duration` before now, at the cost of reading the processor's counter.
  std::optional<std::chrono::system_clock::time_point> start{};
  // When it was meant to start, for response times under a load that could not be kept up.
  std::optional<std::chrono::system_clock::time_point> intended_start{};
  std::string_view workload_type{};  // empty: the run's
  std::string_view driver{};         // empty: the run's
  std::string_view user_id{};        // at most 256 bytes
  std::string_view metadata{};       // JSON object of at most 16 KiB; kept in the files, never a label
  std::string_view operation_id{};   // at most 128 bytes; empty: made from client, thread and sequence number
};

// Losses in operations, by sink and cause:
//   ring    full, no_memory                       recorded faster than written; no ring for the thread
//   record  invalid, no_run, finished, late, no_memory
//   jsonl   disk_full, io_error, not_open         not in the run's files
//   socket  no_daemon, queue_full, endpoint_untrusted   not in the daemon's scrape
//           expired                               the daemon has forgotten whether it counted them
// An operation that both jsonl and socket lost is in both.
using DropCounts = std::map<std::string, std::map<std::string, std::uint64_t>>;

// What a run came to, as the process that finished it saw it.
struct METRICSD_CLIENT_API Report {
  std::filesystem::path directory;  // empty where no files were written
  // This process was the run's last; `problems` names files that could not be written.
  bool complete = false;
  std::uint64_t recorded = 0;         // operations handed to record() in this process
  DropCounts dropped;                 // of this process
  std::vector<std::string> problems;  // what failed, one line each: files that could not be written, ...
  std::vector<std::string> warnings;
  std::string summary_json;  // aggregated.json; empty unless complete, and where it could not be made

  // The table for a terminal: a line an operation type. Empty where summary_json is.
  [[nodiscard]] std::string table(bool colour = false) const;

 private:
  friend class Collector;
  std::string plain_table_;
  std::string coloured_table_;
};

class Collector;

// Times one operation on the processor's own counter (steady_clock where it has none that is fit), from
// Collector::time() to success() or failure(). Destroyed without either it records a failure with code
// "abandoned". Lives on one thread, and no longer than its collector. Holds views: what was passed to time()
// and to the setters must live until the operation is recorded.
class METRICSD_CLIENT_API OperationTimer {
 public:
  OperationTimer(OperationTimer&& other) noexcept;
  OperationTimer& operator=(OperationTimer&&) = delete;
  ~OperationTimer();

  OperationTimer& size(std::uint64_t object_size_bytes) noexcept;
  OperationTimer& retries(std::uint64_t count) noexcept;
  OperationTimer& user(std::string_view user_id) noexcept;
  OperationTimer& metadata(std::string_view json) noexcept;
  OperationTimer& intended_start(std::chrono::system_clock::time_point at) noexcept;

  void success() noexcept;
  void failure(std::string_view error_code, std::string_view error_message = {}) noexcept;
  // Forgets the operation.
  void cancel() noexcept;

 private:
  friend class Collector;
  METRICSD_CLIENT_LOCAL OperationTimer(const Gate& gate, std::string_view operation_type,
                                       std::string_view object_key, std::uint64_t object_size_bytes) noexcept;
  METRICSD_CLIENT_LOCAL void finish(bool success) noexcept;

  const Gate* gate_;  // null once it is recorded or cancelled
  std::int64_t start_ticks_;
  Operation operation_;
};

// One process's part in a run. Any thread may record, also several collectors; open, finish and destruction
// belong to one, and record() must have returned everywhere before the destructor runs. After fork() the
// child's copy records nothing and owes nothing; the child opens or joins with one of its own.
class METRICSD_CLIENT_API Collector {
 public:
  // Opens a run, or joins the one $METRICSD_RUN_DIR names. Never throws: where the run can not be opened,
  // error() says why in one line, and what is recorded is counted as dropped.
  explicit Collector(RunOptions options = {}) noexcept;
  // Joins the run in `directory`.
  Collector(const std::filesystem::path& directory, RunOptions options) noexcept;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  // Finishes, if finish() was not called.
  ~Collector();

  [[nodiscard]] explicit operator bool() const noexcept { return error().empty(); }
  [[nodiscard]] const std::string& error() const noexcept;
  // The run's directory: what other processes join, by $METRICSD_RUN_DIR or by call.
  [[nodiscard]] const std::filesystem::path& directory() const noexcept;
  [[nodiscard]] const std::string& test_run_id() const noexcept;

  // Any thread, also from destructors at its end; not from a signal handler. After a thread's first call it
  // neither waits (but for RunOptions::full_ring_wait) nor allocates, and enters the kernel only where no
  // start is given and the machine has neither a counter nor a vDSO. After finish() it only counts the
  // operation as dropped.
  void record(const Operation& operation) noexcept;
  [[nodiscard]] OperationTimer time(std::string_view operation_type, std::string_view object_key = {},
                                    std::uint64_t object_size_bytes = 0) noexcept;

  // A handle for operations of this type and these labels, the same for the same texts. Any thread; takes a
  // lock: once, not for each operation. A collector has 65,536 at most. What is recorded with one beyond, or
  // of a type that breaks its rule, is dropped{record, invalid}.
  [[nodiscard]] BoundOperation bind(std::string_view operation_type, const BoundLabels& labels = {}) noexcept;

  // Metrics of your own: metrics.h has their rules. Any thread; takes a lock: once, not for each value. What
  // is defined otherwise already, breaks a rule or is one too many is inert, with a warning in the report.
  [[nodiscard]] Counter counter(const CounterOptions& options) noexcept;
  [[nodiscard]] Gauge gauge(const GaugeOptions& options) noexcept;
  [[nodiscard]] Histogram histogram(const HistogramOptions& options) noexcept;

  // For who monitors processes: hands a sample to the background thread, which tells each daemon that it
  // meets the newest 256 KiB; a daemon takes none twice. Any thread; copies, and takes a lock that nobody
  // holds for long. What breaks a rule, or was never sent, is counted, with a warning in the report.
  void task_sample(const TaskSample& sample) noexcept;

  // The number of users this process runs now; at most 2^53.
  void set_users(std::uint64_t count) noexcept;

  // Operations handed to record() and operations lost so far, in this process; what two sinks lost counts
  // twice. Any thread; takes a lock.
  [[nodiscard]] std::uint64_t recorded() const noexcept;
  [[nodiscard]] std::uint64_t dropped() const noexcept;

  // Ends this process's part: waits for the writer, gives the daemon finish_timeout to take the rest, and, as
  // the run's last process, writes its files; while another process of the run does so it waits for that one.
  // Calls of record() that run meanwhile may be counted as dropped. A second call gives the same report.
  Report finish() noexcept;

 private:
  struct METRICSD_CLIENT_LOCAL State;

  METRICSD_CLIENT_LOCAL void end() noexcept;

  const Gate* gate_;  // of state_; shut where there is none
  std::unique_ptr<State> state_;
};

}  // namespace metricsd::client
