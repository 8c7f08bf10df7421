// usage: metricsd_bench_render counters|histograms SERIES
//
// A scrape's page of this library and of prometheus-cpp, in turns: {"ours_ns", "prometheus_ns", ...}, medians
// of CPU time.

#include "process.h"
#include "series.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace metricsd::measuring;

constexpr int kTurns = 5;

class Scrapes {
 public:
  template <class Side>
  void take(const Side& side) {
    ns_.push_back(cpu_ns_of([&] { bytes_ = side.scrape().size(); }));
  }
  [[nodiscard]] double median_ns() {
    std::sort(ns_.begin(), ns_.end());
    return ns_[ns_.size() / 2];
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<double> ns_;
  std::size_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[1] : "";
  if (kind != "counters" && kind != "histograms")
    fail("usage: metricsd_bench_render counters|histograms SERIES");
  const What what = kind == "counters" ? What::counters : What::histograms;
  const std::size_t count = std::strtoul(argv[2], nullptr, 10);

  const OurSeries ours(what, count);
  const PrometheusSeries theirs(what, count);
  Scrapes our_scrapes;
  Scrapes their_scrapes;
  for (int turn = 0; turn < kTurns; ++turn) {
    our_scrapes.take(ours);
    their_scrapes.take(theirs);
  }
  print({{"ours_ns", our_scrapes.median_ns()},
         {"ours_bytes", our_scrapes.bytes()},
         {"prometheus_ns", their_scrapes.median_ns()},
         {"prometheus_bytes", their_scrapes.bytes()}});
}
