// Every limit of the project, each with its reason. Bytes unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace metricsd::limits {

// The contract of OperationMetric.
inline constexpr std::size_t kOperationId = 128;             // room for client-stream-sequence and for a UUID
inline constexpr std::size_t kTypeName = 64;                 // becomes a label: short keeps the scrape small
inline constexpr std::size_t kObjectKey = 1024;              // S3's longest key
inline constexpr std::size_t kErrorCode = 128;               // becomes a label
inline constexpr std::size_t kErrorMessage = 4096;           // a stack trace's first lines
inline constexpr std::size_t kDriver = 128;                  // becomes a label
inline constexpr std::size_t kUserId = 256;                  // an e-mail address fits
inline constexpr std::size_t kRecordedMetadata = 16 * 1024;  // its line still fits kPlainLine
inline constexpr std::uint64_t kWhole = 9'007'199'254'740'992;      // 2^53: exact in any JSON reader
inline constexpr std::int64_t kDurationNs = 1'000'000'000'000'000;  // 1e9 ms: 11.6 days

// Runs.
inline constexpr std::size_t kRunId = 64;      // part of a directory's name
inline constexpr std::size_t kTestName = 256;  // part of a directory's name, where it is cut to fit

// Files of a run that are read again.
inline constexpr std::size_t kFileLine = 1024 * 1024;          // a line of operations.jsonl, whoever wrote it
inline constexpr std::size_t kMembersFile = 64 * 1024 * 1024;  // some 100,000 processes of one run
inline constexpr std::size_t kSummaryFile = 1024 * 1024 * 1024;  // 100,000 windows at 4 KiB, twice
inline constexpr std::size_t kRunFile = 16 * 1024 * 1024;        // test_config.json: read into memory whole

// The socket.
inline constexpr std::size_t kPlainLine = 64 * 1024;   // the longest line before a hello
inline constexpr std::size_t kHelloLine = 256 * 1024;  // the longest hello: 4,096 streams of 45 bytes
inline constexpr std::size_t kReadChunk =
    256 * 1024;  // one read: all that the kernel holds; then the next has its turn
inline constexpr std::size_t kJsonDepth = 32;     // the parser's stack
inline constexpr std::size_t kSampleRows = 4096;  // rows of one samples message
inline constexpr std::size_t kBatchRows =
    16'384;  // operations of one batch: what a connection may do in a turn
inline constexpr std::size_t kBatchShared = 256;  // entries of its dictionary
inline constexpr std::size_t kBatchFields = 32;   // columns: newer clients may send some we do not know
inline constexpr std::size_t kStreams = 4096;     // streams of one client: a thread has one
inline constexpr std::uint32_t kMetricsStream = kStreams - 1;  // of them: what a client's own metrics come to
inline constexpr std::size_t kBatchLine = 1024 * 1024;         // the longest line after a hello
inline constexpr std::size_t kAckBytes = 1024 * 1024;          // taken in before an ack that need not wait
inline constexpr std::int64_t kAckNs = 100'000'000;  // between acks: ten a second tell a client enough
inline constexpr std::size_t kClients = 65'536;      // of a shard, as many as connections: 400 bytes each
inline constexpr std::size_t kForgottenClients =
    65'536;  // of a shard, remembered by name where others took their place: 200 bytes each
inline constexpr std::size_t kClientStreams = 1 << 20;  // of all clients of a shard: 64 bytes each
inline constexpr std::int64_t kClientIdleNs =
    3'600'000'000'000;                               // without a connection: a long restart, a short sleep
inline constexpr std::size_t kStatusClients = 1000;  // in the status: 200 bytes each
inline constexpr std::size_t kStatusReply = 16 * 1024 * 1024;  // one line: the status of a crowded daemon
inline constexpr std::size_t kReplyBacklog = 1024 * 1024;      // unread answers before a peer is let go
inline constexpr std::size_t kHeldForPeers =
    256 * 1024 * 1024;  // half lines and unread answers of all connections: then who holds them longest goes
inline constexpr std::uint64_t kUserBytes =
    256 * 1024 * 1024;  // a second, of a user who is not the daemon's: nearly a million plain lines
inline constexpr std::size_t kIngestConnections = 65'536;  // some KiB each: a few hundred MiB in all

// A client's segment, as who adopts it reads it.
inline constexpr std::size_t kSegmentBlocks = 16'384;   // a ring for each stream, and as much queue as may be
inline constexpr std::size_t kSegmentHandles = 65'536;  // names that a client may bind: some 20 MiB
inline constexpr std::size_t kSegmentText =
    1 << 20;  // of names, definitions or a run in one block: read at once
inline constexpr std::size_t kSegmentTexts = 32 * 1024 * 1024;  // of all blocks: the names, and a third more
inline constexpr std::size_t kHandedIn = 64;       // segments that are being handed in: each is a descriptor
inline constexpr std::size_t kHandedInByUser = 8;  // of those: who has more waits
inline constexpr std::uint64_t kSegmentBytes = std::uint64_t{4} << 30;  // a client makes its file that long

// HTTP.
inline constexpr std::size_t kHttpHead = 16 * 1024;  // request line and headers; browsers send about 1 KiB
inline constexpr std::size_t kHttpRequestLine = 8 * 1024;  // RFC 9112 section 3 recommends at least 8,000
inline constexpr std::size_t kHttpHeaderLines = 100;       // as the usual servers have it
inline constexpr std::size_t kHttpBody = 64 * 1024;  // no route takes one: read, to keep in step, and dropped
inline constexpr std::size_t kHttpConnections = 1024;          // at most; then the longest-waiting goes
inline constexpr std::size_t kHttpUnsent = 256 * 1024 * 1024;  // bytes of responses whose readers do not read

// Metrics that peers define.
inline constexpr std::size_t kFamilies = 1000;   // families of one registry
inline constexpr std::size_t kFamilyName = 200;  // with namespace and suffixes still one line of a page
inline constexpr std::size_t kHelp = 1024;       // one line of help
inline constexpr std::size_t kUnit = 32;         // "seconds", "bytes", ...
inline constexpr std::size_t kLabels = 16;       // labels of one family
inline constexpr std::size_t kLabelValue = 256;  // one label value
inline constexpr std::size_t kBounds = 200;      // classic bounds of one histogram
inline constexpr std::size_t kDefinesPerConnection = 1000;  // ids one connection may bind

// The client library's own metrics, of one collector. A thread's cells are found by index.
inline constexpr std::size_t kOwnCounters = 10'000;  // series: 16 bytes each for every thread
inline constexpr std::size_t kOwnGauges = 10'000;    // series
inline constexpr std::size_t kOwnHistograms = 1000;  // series: 9 KiB each for every thread that observes it

// Series and histograms.
inline constexpr std::size_t kSeriesPerFamily = 10'000;  // default of --metrics.max-series
inline constexpr std::size_t kSeries = 200'000;          // of all families that peers define: some 200 MiB
inline constexpr std::size_t kExponentialBuckets = 160;  // OpenTelemetry's default maximum size
inline constexpr std::size_t kSeriesKept = 16'384;       // label sets a shard finds without a search: 20 MiB
inline constexpr std::size_t kLiveBuckets = 16'384;      // scale 8 over every duration we accept: 12,800
inline constexpr std::size_t kLiveRuns = 16;             // runs with live statistics
inline constexpr std::size_t kLiveOperations = 64;       // operation types of one live run
inline constexpr std::size_t kLiveErrorCodes = 64;       // error codes of one live run

// The history of tasks: what monitors of processes tell of them.
inline constexpr std::size_t kTaskText = kLabelValue;        // a task's id, a role, a node: labels elsewhere
inline constexpr std::size_t kTaskObject = 8 * 1024;         // a sample, or the aggregate: some 500 are usual
inline constexpr std::uint64_t kTaskHistory = 10'000;        // samples of one role: a day and more at 10 s
inline constexpr std::uint64_t kTaskHistoryUsual = 100;      // where the sender does not say how many
inline constexpr double kTaskIntervalSeconds = 1e9;          // between two samples: 31 years
inline constexpr std::size_t kTasks = 256;                   // of all shards
inline constexpr std::size_t kTaskRoles = 32;                // of one task
inline constexpr std::size_t kTaskBytes = 32 * 1024 * 1024;  // of all tasks; with a data directory twice
inline constexpr std::uint64_t kTaskPage = 1000;             // samples of one answer: 8 MiB at most

// Statistics.
inline constexpr std::size_t kWindows = 10'000;            // beyond it their length doubles
inline constexpr std::size_t kWindowRows = 100'000;        // windows x groups: rows a file can bear
inline constexpr std::size_t kSummaryGroups = 10'000;      // operation x workload types of one summary
inline constexpr std::size_t kSummaryErrorCodes = 10'000;  // error codes of one summary

// Counts told by clients.
inline constexpr std::size_t kDropCauses = 64;  // sink x cause pairs of one connection
inline constexpr std::size_t kDropPairs = 256;  // sink x cause pairs of all connections: each is a series

}  // namespace metricsd::limits
