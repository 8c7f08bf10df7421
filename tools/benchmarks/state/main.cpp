// usage: metricsd_bench_state SERIES CHANGED
//
// What it costs to keep a registry of SERIES histograms: all are told of, and CHANGED of them; each is saved
// and loaded where a copy is kept in step, and, beside it, copied as for a scrape. Medians of CPU time:
//
//   {"save_all_ns", "load_all_ns", "load_anew_ns", "save_changed_ns", "load_changed_ns", "copy_ns",
//    "all_bytes", "changed_bytes"}

#include "keep.h"
#include "process.h"

#include <metricsd/models/registry.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace metricsd;
using namespace metricsd::measuring;

constexpr int kTurns = 5;
constexpr int kObservations = 100;  // of each series: some 80 exponential buckets

FamilySpec duration_spec() {
  FamilySpec spec;
  spec.base_name = "workload_operation_duration";
  spec.unit = "seconds";
  spec.kind = Kind::histogram;
  spec.label_names = {"operation", "workload", "driver", "status"};
  spec.bounds = default_duration_bounds();
  return spec;
}

// Histograms as the daemon has them.
class ManySeries {
 public:
  explicit ManySeries(std::size_t count)
      : registry_(std::make_shared<Catalog>(count)),
        family_(*registry_.define<Histogram>(duration_spec()).value()) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> seconds(-5, 1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string operation = "operation-" + std::to_string(i);
      const std::vector<std::string_view> values{operation, "s3", "boto", "success"};
      handles_.push_back(family_.series_at(values, now_));
      for (int k = 0; k < kObservations; ++k) handles_.back()->state.apply(seconds(random));
    }
  }

  // Once of so many of them, spread over all.
  void tell(std::size_t series) {
    ++now_.monotonic_ns;
    for (std::size_t i = 0; i < handles_.size(); i += handles_.size() / series) {
      handles_[i]->state.apply(0.01);
      family_.touch(handles_[i], now_);
    }
  }

  // Into new memory, as who hands the bytes on must.
  void save_changed(std::string& bytes) {
    bytes = std::string();
    StateWriter out(bytes);
    registry_.save_changed(out, now_);
  }

  [[nodiscard]] const Registry& registry() const { return registry_; }

 private:
  Registry registry_;
  Family<Histogram>& family_;
  std::vector<SeriesHandle<Histogram>> handles_;
  Moment now_;
};

void load(Registry& registry, const std::string& bytes) {
  StateReader in(bytes);
  const auto report = registry.load(in, {});
  if (!report || report->series == 0) fail("what was saved was not loaded");
}

void copy_for_a_scrape(const Registry& registry) {
  RegistryCopier copier(registry, Detail::classic);
  while (copier.copy(std::numeric_limits<std::size_t>::max())) {
  }
  keep(copier.take());
}

double median(std::vector<double>& ns) {
  std::sort(ns.begin(), ns.end());
  return ns[ns.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc == 3 ? std::strtoul(argv[1], nullptr, 10) : 0;
  const std::size_t changed = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (changed == 0 || changed > count) fail("usage: metricsd_bench_state SERIES CHANGED");

  ManySeries series(count);
  const auto catalog = std::make_shared<Catalog>(count);
  Registry copy(catalog);
  std::string all;
  std::string some;
  std::vector<double> save_all, load_all, load_anew, save_changed, load_changed, copied;
  for (int turn = 0; turn < kTurns; ++turn) {
    series.tell(count);
    save_all.push_back(cpu_ns_of([&] { series.save_changed(all); }));
    load(copy, all);
    series.tell(count);
    series.save_changed(all);
    load_all.push_back(cpu_ns_of([&] { load(copy, all); }));
    Registry anew(catalog);
    load_anew.push_back(cpu_ns_of([&] { load(anew, all); }));
    series.tell(changed);
    save_changed.push_back(cpu_ns_of([&] { series.save_changed(some); }));
    load_changed.push_back(cpu_ns_of([&] { load(copy, some); }));
    copied.push_back(cpu_ns_of([&] { copy_for_a_scrape(series.registry()); }));
  }
  print({{"save_all_ns", median(save_all)},
         {"load_all_ns", median(load_all)},
         {"load_anew_ns", median(load_anew)},
         {"save_changed_ns", median(save_changed)},
         {"load_changed_ns", median(load_changed)},
         {"copy_ns", median(copied)},
         {"all_bytes", all.size()},
         {"changed_bytes", some.size()}});
}
