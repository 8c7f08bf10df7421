#include "display.h"

#include "http/routes.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace metricsd::server {
namespace {

namespace asio = boost::asio;

// Threads that merge and render for HTTP and for status requests.
constexpr std::size_t kWorkers = 2;

}  // namespace

Display::Display(const Config& config, DisplaySources sources, Logger logger)
    : config_(config),
      sources_(std::move(sources)),
      logger_(std::move(logger)),
      snapshots_(sources_.shards, sources_.keeper, sources_.catalog, sources_.tasks,
                 {.metrics_namespace = config.metrics_namespace,
                  .series_expiry_ns = config.series_expiry_ns,
                  .process_expiry_ns = config.process_expiry_ns},
                 sources_.clock),
      status_desk_([this] { return status(); }, [this](auto job) { asio::post(workers_, std::move(job)); },
                   sources_.clock),
      router_(http::make_routes({.snapshots = snapshots_,
                                 .status = [this] { return status_desk_.recent(); },
                                 .ready = sources_.ready,
                                 .clock = sources_.clock},
                                config.web_telemetry_path)),
      answer_desk_(router_, [this](auto job) { asio::post(workers_, std::move(job)); }),
      workers_(kWorkers) {}

bool Display::bind(std::size_t max_connections, std::string& why) {
  front_ = std::make_unique<http::Front>(
      http::FrontOptions{.max_connections = max_connections},
      [this](const http::Request& request, auto deliver) { answer_desk_.ask(request, std::move(deliver)); },
      sources_.clock, logger_);
  for (const ListenAddress& address : config_.web_listen_addresses) {
    const auto bound = front_->listen(address);
    if (!bound) {
      why = "cannot serve HTTP on " + to_string(address) + ": " + bound.error().message();
      return false;
    }
    for (const ListenAddress& one : *bound) {
      addresses_.push_back(to_string(one));
      if (http::is_loopback(one)) continue;
      logger_.warning("HTTP is open to other machines: neither TLS nor a password protects it",
                      {{"address", addresses_.back()}});
    }
  }
  return true;
}

void Display::start() {
  front_->start();
}

void Display::stop() {
  front_->stop();
  workers_.stop();
  workers_.join();
}

void Display::send_status(std::function<void(std::string)> deliver) {
  status_desk_.ask([deliver = std::move(deliver)](const StatusDesk::Document& document) {
    deliver((document ? *document : R"({"error":"ingest did not answer"})") + "\n");
  });
}

IngestTotals Display::totals() {
  const auto merged = snapshots_.collect({});
  return merged ? merged->totals : IngestTotals{};
}

StatusDesk::Document Display::status() {
  auto merged = snapshots_.collect({.clients = true});
  if (!merged) return merged.error();
  Status status;
  status.ready = sources_.ready();
  status.web = addresses_;
  status.telemetry_path = config_.web_telemetry_path;
  status.metrics_namespace = config_.metrics_namespace;
  status.totals = merged->totals;
  status.ingest_threads = config_.ingest_threads;
  status.series = sources_.catalog->series_count();
  status.max_series_per_family = config_.max_series;
  status.overflows = sources_.catalog->overflows();
  status.runs = merged->live_runs.runs().size();
  status.clients = std::move(merged->clients);
  status.known_clients = merged->known_clients;
  sources_.complete(status);
  std::string document;
  render_status_json(document, status);
  return document;
}

}  // namespace metricsd::server
