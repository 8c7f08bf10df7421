#include "in_process.h"

#include <metricsd/models/family.h>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace metricsd::load {

namespace {

class Metrics {
 public:
  void tell(const Event& event) {
    const LabelSet& of = event.labels();
    const prometheus::Labels labels{{"operation", std::string(of.operation)},
                                    {"workload", std::string(of.workload)},
                                    {"driver", std::string(of.driver)},
                                    {"status", std::string(event.status())}};
    operations_.Add(labels).Increment();
    durations_.Add(labels, bounds_).Observe(static_cast<double>(event.duration_ns) * 1e-9);
    bytes_.Add(labels).Increment(static_cast<double>(event.bytes));
  }

  [[nodiscard]] std::uint64_t counted() {
    double sum = 0;
    for (const prometheus::MetricFamily& family : operations_.Collect()) {
      for (const prometheus::ClientMetric& metric : family.metric) sum += metric.counter.value;
    }
    return static_cast<std::uint64_t>(sum);
  }

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& operations_ =
      prometheus::BuildCounter().Name("operations_total").Register(registry_);
  prometheus::Family<prometheus::Histogram>& durations_ =
      prometheus::BuildHistogram().Name("duration_seconds").Register(registry_);
  prometheus::Family<prometheus::Counter>& bytes_ =
      prometheus::BuildCounter().Name("bytes_total").Register(registry_);
  const std::vector<double> bounds_ = default_duration_bounds();
};

}  // namespace

Counted tell_prometheus_cpp(std::chrono::nanoseconds max_duration) {
  constexpr std::size_t kEvents = 4096;
  const std::vector<Event> events = make_events(kEvents);
  Metrics metrics;
  Counted result;
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::nanoseconds elapsed{};
  for (; elapsed < max_duration; elapsed = std::chrono::steady_clock::now() - begin) {
    for (const Event& event : events) metrics.tell(event);
    result.sent.events += events.size();
  }
  result.sent.seconds = std::chrono::duration<double>(elapsed).count();
  result.counted = metrics.counted();
  return result;
}

}  // namespace metricsd::load
