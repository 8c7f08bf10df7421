// Counters and histograms of a program's own, of this library and of prometheus-cpp: a handle that was looked
// up beforehand, one thread.

#include <metricsd/client/collector.h>
#include <metricsd/models/family.h>

#include <array>
#include <cstddef>

#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

namespace {

namespace client = metricsd::client;

// Durations over all buckets, each as likely as another: a branch predictor that knows the next would flatter
// both.
class Durations {
 public:
  Durations() {
    double seconds = 0.00005;
    std::size_t at = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      at = (at + 2731) % values_.size();  // coprime: each place once
      values_[at] = seconds;
      seconds *= 1.0033;
    }
  }
  double next() { return values_[i_++ % values_.size()]; }

 private:
  std::array<double, 4096> values_{};
  std::size_t i_ = 0;
};

client::RunOptions alone() {
  return {.write_files = false, .join_from_environment = false, .send_to_daemon = false};
}

void client_counter_add(benchmark::State& state) {
  client::Collector run(alone());
  const client::Counter counter = run.counter({.name = "requests"});
  for (auto _ : state) counter.add();
}
BENCHMARK(client_counter_add);

void client_histogram_observe(benchmark::State& state) {
  client::Collector run(alone());
  const client::Histogram histogram =
      run.histogram({.name = "wait", .bounds = metricsd::default_duration_bounds()});
  Durations durations;
  for (auto _ : state) histogram.observe(durations.next());
}
BENCHMARK(client_histogram_observe);

void prometheus_counter_increment(benchmark::State& state) {
  prometheus::Counter counter;
  for (auto _ : state) counter.Increment();
}
BENCHMARK(prometheus_counter_increment);

void prometheus_histogram_observe(benchmark::State& state) {
  prometheus::Histogram histogram(metricsd::default_duration_bounds());
  Durations durations;
  for (auto _ : state) histogram.Observe(durations.next());
}
BENCHMARK(prometheus_histogram_observe);

}  // namespace
