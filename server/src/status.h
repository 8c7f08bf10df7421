// The status document: the answer of /api/v1/status and, on one line, of {"type":"status"} on the socket.
#pragma once

#include "adoption/adoption_figures.h"
#include "checkpoint/keeper.h"
#include "clients.h"
#include "ingest_totals.h"

#include <metricsd/models/registry.h>
#include <metricsd/models/timestamp.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::server {

struct Status {
  std::string_view version;
  pid_t pid = 0;
  Timestamp started_at;
  double uptime_seconds = 0;
  bool ready = false;
  std::string socket;
  std::vector<std::string> web;  // the addresses bound, "127.0.0.1:8090"
  std::string telemetry_path;
  std::string metrics_namespace;
  std::string data_dir;        // the one in effect
  std::string data_dir_error;  // why it is none though the default would be another
  std::string store_id;
  std::optional<CheckpointFigures> checkpoint;  // nothing where none are made
  RestoredFigures restored;
  IngestTotals totals;
  unsigned ingest_threads = 0;
  std::size_t series = 0;
  std::size_t max_series_per_family = 0;
  std::vector<OverflowReport> overflows;
  std::size_t runs = 0;
  AdoptionFigures segments;
  std::vector<ClientReport> clients;
  std::size_t known_clients = 0;  // of which not all may be told of
};

// Appends the document as one line without its newline.
void render_status_json(std::string& out, const Status& status);

}  // namespace metricsd::server
