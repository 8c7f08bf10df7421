#include "push_destination.h"

#include "gateway_path.h"
#include "report_of_sink.h"
#include "url.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/models/labels.h>

#include <chrono>
#include <exception>
#include <utility>

namespace metricsd::tools {

namespace {

// The last document and its deletion together stay within kFinishSeconds.
constexpr std::chrono::seconds kRequest{2};
static_assert(2 * kRequest < std::chrono::seconds(kFinishSeconds));

}  // namespace

PushDestination::PushDestination(PushOptions options, std::string origin, std::string base_path,
                                 std::string metric_namespace, std::optional<SpawnedGateway> gateway)
    : options_(std::move(options)),
      origin_(std::move(origin)),
      place_("Pushgateway at " + origin_),
      base_path_(std::move(base_path)),
      gateway_(std::move(gateway)),
      book_(std::move(metric_namespace), system_clock()),
      metrics_(book_) {}

void PushDestination::take(const Observation& observation) noexcept try {
  if (!sink_) open_sink(observation.task);
  metrics_.tell(observation);
  std::string page;
  exporters::render_prometheus_text(page, book_.snapshot());
  sink_->put(std::move(page));
} catch (const std::exception&) {
  ++unmade_;
}

void PushDestination::open_sink(const Task& task) {
  exporters::HttpSinkOptions sink;
  sink.origin = origin_;
  sink.path = gateway_path(base_path_, task.job_name);
  sink.content_type = exporters::kPrometheusTextType;
  sink.timeout = kRequest;
  if (options_.say) {
    sink.say_failure = [say = options_.say, place = place_](const std::string& why) {
      say(place + ": " + why + "; tried again at each sample");
    };
  }
  sink_.emplace(std::move(sink));
}

void PushDestination::end() noexcept {
  using Ending = exporters::HttpSink::Ending;
  if (sink_) sink_->end(options_.delete_after ? Ending::remove : Ending::keep);
}

bool PushDestination::wait(std::chrono::milliseconds within) noexcept {
  return !sink_ || sink_->wait(within);
}

void PushDestination::leave() noexcept try {
  if (!sink_) return;
  sink_->leave();
  const std::string why = sink_->removal_error();
  if (!why.empty() && options_.say) options_.say(place_ + ": the job could not be deleted: " + why);
} catch (const std::exception&) {
}

DestinationReport PushDestination::report() const {
  return report_of(sink_, unmade_);
}

std::unique_ptr<Destination> make_push_destination(const PushOptions& options,
                                                   const std::string& metric_namespace, std::string& why) {
  std::optional<SpawnedGateway> gateway;
  std::string text = options.url;
  if (text == "spawn") {
    gateway = SpawnedGateway::start(why);
    if (!gateway) return nullptr;
    text = gateway->url();
    if (options.say) options.say("Pushgateway of this run: " + text);
  }
  const auto url = split_url(text);
  if (!url || (url->scheme != "http" && url->scheme != "https")) {
    why = "'" + without_user(text) + "' is not http[s]://HOST[:PORT][/PATH], nor spawn";
    if (text.find('@') != std::string::npos) why += ": a user has no place in it";
    return nullptr;
  }
  if (!is_metric_name(metric_namespace)) {
    why = "'" + metric_namespace + "' is no namespace of metrics";
    return nullptr;
  }
  return std::make_unique<PushDestination>(options, origin_of(*url), url->path, metric_namespace,
                                           std::move(gateway));
}

}  // namespace metricsd::tools
