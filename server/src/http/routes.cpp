#include "routes.h"

#include "../live_runs_json.h"
#include "../tasks/tasks_json.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/exporters/run_summary.h>
#include <metricsd/models/limits.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace metricsd::server {

extern const std::string_view kIndexPage;  // assets/index.html

namespace http {
namespace {

constexpr const char* kJson = "application/json";
// Samples of a task, where nobody says how many.
constexpr std::uint64_t kUsualPage = 100;

// The page has its own script and style and talks to its own origin; nothing else runs in it, nothing frames
// it.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src "
    "data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

Response plain(int status, std::string text) {
  return {.status = status, .content_type = kPlainText, .body = std::move(text)};
}

Response json(std::string document) {
  document += '\n';
  return {.content_type = kJson, .body = std::move(document)};
}

Response unavailable() {
  return plain(503, "ingest did not answer\n");
}

Response index(const Query&) {
  return {.content_type = "text/html; charset=utf-8",
          .body = std::string(kIndexPage),
          .headers = {{"Content-Security-Policy", kContentPolicy}, {"Referrer-Policy", "no-referrer"}}};
}

Response healthy(const Query&) {
  return plain(200, "healthy\n");
}

Response ready(const RouteSources& from) {
  return from.ready() ? plain(200, "ready\n") : plain(503, "not ready\n");
}

Response metrics(const RouteSources& from) {
  const std::int64_t started_ns = from.clock.monotonic_ns();
  const auto snapshot = from.snapshots.metrics();
  if (!snapshot) return unavailable();
  Response response{.content_type = std::string(exporters::kPrometheusTextType), .body = {}};
  exporters::render_prometheus_text(response.body, *snapshot);
  from.snapshots.note_scrape(from.clock.monotonic_ns() - started_ns);
  return response;
}

Response status(const RouteSources& from) {
  auto document = from.status();
  if (!document) return unavailable();
  return json(*std::move(document));
}

Response summary(const RouteSources& from, const Query& query) {
  const auto merged = from.snapshots.collect({.registry = false, .run_statistics = true});
  if (!merged) return unavailable();
  const auto asked = query.find("run");
  const LiveRun* run =
      asked == query.end() ? merged->live_runs.newest() : merged->live_runs.find(asked->second);
  if (run == nullptr) return plain(404, "no such run\n");
  std::string document;
  exporters::render_summary_json(document, run->summary({from.clock.now(), from.clock.monotonic_ns()}),
                                 JsonWriter::Style::compact);
  return json(std::move(document));
}

Response runs(const RouteSources& from) {
  const auto merged = from.snapshots.collect({});
  if (!merged) return unavailable();
  std::string document;
  render_runs_json(document, merged->live_runs);
  return json(std::move(document));
}

Response processes(const RouteSources& from) {
  std::string document;
  render_processes_json(document, from.snapshots.tasks());
  return json(std::move(document));
}

// A whole number of the query; nothing where it is none, or out of its range.
std::optional<std::uint64_t> number_of(const Query& query, const char* name, std::uint64_t usual,
                                       std::uint64_t least, std::uint64_t most) {
  const auto asked = query.find(name);
  if (asked == query.end()) return usual;
  const std::string& text = asked->second;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
    return std::nullopt;
  }
  return number;
}

Response task_metrics(const RouteSources& from, const Query& query) {
  const auto offset = number_of(query, "offset", 0, 0, limits::kWhole);
  if (!offset) return plain(400, "offset must be a whole number\n");
  const auto limit = number_of(query, "limit", kUsualPage, 1, limits::kTaskPage);
  if (!limit) {
    return plain(400, "limit must be a whole number from 1 to " + std::to_string(limits::kTaskPage) + "\n");
  }
  const auto role = query.find("role");
  const auto page = from.snapshots.tasks().page(
      query.at("id"), role == query.end() ? std::string_view() : std::string_view(role->second), *offset,
      *limit);
  if (!page) return plain(404, "no such task, or no such role of it\n");
  std::string document;
  render_task_page_json(document, *page, *offset, *limit);
  return json(std::move(document));
}

}  // namespace

std::vector<Route> make_routes(const RouteSources& sources, const std::string& telemetry_path) {
  return {
      {.path = telemetry_path, .handler = [sources](const Query&) { return metrics(sources); }},
      {.path = "/", .handler = index, .is_cheap = true},
      {.path = "/-/healthy", .handler = healthy, .is_cheap = true},
      {.path = "/-/ready", .handler = [sources](const Query&) { return ready(sources); }, .is_cheap = true},
      {.path = "/api/v1/status", .handler = [sources](const Query&) { return status(sources); }},
      {.path = "/api/v1/summary",
       .handler = [sources](const Query& query) { return summary(sources, query); },
       .reads_query = true},
      {.path = "/api/v1/runs", .handler = [sources](const Query&) { return runs(sources); }},
      {.path = "/api/v1/processes", .handler = [sources](const Query&) { return processes(sources); }},
      {.path = "/api/v1/tasks/{id}/metrics",
       .handler = [sources](const Query& query) { return task_metrics(sources, query); },
       .reads_query = true}};
}

}  // namespace http
}  // namespace metricsd::server
