// Counters, gauges and histograms of your own: what is not an operation and shall stand in the daemon's
// scrape.
//
//   auto requests = run.counter({.name = "requests", .labels = {{"method", "get"}}});
//   requests.add();
//   auto depth = run.gauge({.name = "queue_depth"});
//   depth.set(12);
//   auto wait = run.histogram({.name = "lock_wait", .unit = "seconds", .bounds = {0.001, 0.01, 0.1}});
//   wait.observe(0.0031);
//
// They are defined once, which takes a lock, and used often: a handle is a value of 32 bytes to copy and
// keep; defining the same again gives one that counts into the same series. Any thread may use any handle,
// also several at once, also from destructors at a thread's end; not from a signal handler. After a thread's
// first use of a collector's counters, and of each histogram, it neither waits nor allocates nor enters the
// kernel.
//
// The daemon is told about once a second, and by finish(); of a counter from its definition on, as 0. What
// happens while there is no daemon is told when there is one; what none was told by then stays untold, which
// the report's warnings say. These values are not in the run's files.
//
// A handle that could not be had is inert: it takes values and forgets them, and the report's warnings say
// why. So are all handles after finish(), in a forked child, and when their collector is gone: they may
// outlive it.
#pragma once

#include <metricsd/client/export.h>

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace metricsd::client {

class Collector;
class MetricRegistry;
struct GaugeCell;

// The series of a family by label name: at most 16, names `[a-zA-Z_][a-zA-Z0-9_]*` without `__` in front and
// not "le" or "quantile", values at most 256 bytes of UTF-8. All series of a family have the same names.
using MetricLabels = std::map<std::string, std::string>;

// The scrape shows a family as `<name>[_<unit>]`, with `_total` behind a counter. A name that ends so already
// is the same name: `[a-zA-Z_:][a-zA-Z0-9_:]*`, at most 200 bytes. Names that begin with `metricsd_` or
// `process_`, and those of the daemon's families of operations, are the daemon's: it refuses them, and counts
// that. A collector has at most 1000 families, 10,000 counters, 10,000 gauges and 1000 histograms.
struct CounterOptions {
  std::string name;
  std::string help{};  // at most 1 KiB
  std::string unit{};  // "seconds", "bytes", ...: at most 32 bytes
  MetricLabels labels{};
};

// How the values of several processes become one.
enum class GaugeMerge { sum, min, max, last };

struct GaugeOptions {
  std::string name;
  std::string help{};
  std::string unit{};
  MetricLabels labels{};
  GaugeMerge merge = GaugeMerge::sum;
};

struct HistogramOptions {
  std::string name;
  std::string help{};
  std::string unit{};
  MetricLabels labels{};
  // Upper bounds of the classic buckets, inclusive: at most 200, finite, ascending, without +Inf. None:
  // 0.0001 to 30, as durations in seconds have them.
  std::vector<double> bounds{};
};

// A sum that never falls.
class METRICSD_CLIENT_API Counter {
 public:
  Counter() noexcept = default;  // inert

  void add() const noexcept { add_whole(1); }
  // 0 to 2^53, exact in 64 bits. Anything else is refused, and a warning.
  template <std::integral T>
  void add(T amount) const noexcept {
    if constexpr (std::is_signed_v<T>) {
      if (amount < 0) return refuse();
    }
    if constexpr (sizeof(T) >= sizeof(kMost)) {
      if (amount > static_cast<T>(kMost)) return refuse();
    }
    add_whole(static_cast<std::uint64_t>(amount));
  }
  // 0 to 2^53; the whole part is added as a whole number. Anything else is refused, and a warning.
  template <std::floating_point T>
  void add(T amount) const noexcept {
    add_real(static_cast<double>(amount));
  }

  // False of an inert one that never counted.
  [[nodiscard]] explicit operator bool() const noexcept { return registry_ != nullptr; }

 private:
  friend class Collector;
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 53;

  METRICSD_CLIENT_LOCAL Counter(std::shared_ptr<MetricRegistry> registry, std::uint32_t index) noexcept;

  void add_whole(std::uint64_t amount) const noexcept;
  [[gnu::noinline]] METRICSD_CLIENT_LOCAL void add_anew(std::uint64_t amount) const noexcept;
  void add_real(double amount) const noexcept;
  void refuse() const noexcept;

  std::uint64_t registry_id_ = UINT64_MAX;
  std::uint32_t index_ = 0;
  std::shared_ptr<MetricRegistry> registry_;
};

// A value that goes up and down. A gauge that was never set is not shown.
class METRICSD_CLIENT_API Gauge {
 public:
  Gauge() noexcept = default;  // inert

  // Finite; anything else is refused, and a warning. Of several threads' calls the last one holds.
  void set(double value) const noexcept;
  // Adds to what it is, or to 0; `amount` may be negative. No call of several threads is lost.
  void add(double amount) const noexcept;

  [[nodiscard]] explicit operator bool() const noexcept { return cell_ != nullptr; }

 private:
  friend class Collector;
  METRICSD_CLIENT_LOCAL explicit Gauge(std::shared_ptr<GaugeCell> cell) noexcept;

  std::shared_ptr<GaugeCell> cell_;
};

// How often values of which size were seen, with their number and sum: by the bounds given, and in
// exponential buckets of 4.4 % beside them. Values from about 2^-24 to 2^40 times the lowest bound, and 0,
// are counted as the top of this file promises; those beyond take a lock each.
class METRICSD_CLIENT_API Histogram {
 public:
  Histogram() noexcept = default;  // inert

  // Finite, 0 or more; anything else is refused, and a warning. A value on a bound counts in that bound's
  // bucket.
  void observe(double value) const noexcept;

  [[nodiscard]] explicit operator bool() const noexcept { return registry_ != nullptr; }

 private:
  friend class Collector;
  METRICSD_CLIENT_LOCAL Histogram(std::shared_ptr<MetricRegistry> registry, std::uint32_t index) noexcept;
  [[gnu::noinline]] METRICSD_CLIENT_LOCAL void observe_carefully(double value) const noexcept;

  std::uint64_t registry_id_ = UINT64_MAX;
  std::uint32_t index_ = 0;
  std::shared_ptr<MetricRegistry> registry_;
};

}  // namespace metricsd::client
