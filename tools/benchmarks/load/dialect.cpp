#include "dialect.h"

#include "renderers.h"

#include <algorithm>
#include <array>

namespace metricsd::load {

namespace {

// Large enough that each series occurs, small enough that reading it is not what limits the sender.
constexpr std::size_t kRingEvents = 4096;

constexpr std::array<Dialect, 6> kDialects{{
    {.name = "metricsd-line", .render = render_metricsd_lines},
    {.name = "metricsd-batch", .render = render_metricsd_batches, .greeting = metricsd_hello},
    {.name = "statsd", .render = render_statsd},
    {.name = "influx", .render = render_influx},
    {.name = "collectd", .render = render_collectd, .answer = "0 Success", .answers_an_event = 3},
    {.name = "pushgateway", .render = render_pushgateway, .answer = "HTTP/1.1 200", .answers_an_event = 1},
}};

}  // namespace

const Dialect* find_dialect(std::string_view name) {
  const auto* const found = std::ranges::find(kDialects, name, &Dialect::name);
  return found == kDialects.end() ? nullptr : found;
}

std::span<const Dialect> all_dialects() {
  return kDialects;
}

Payload render_ring(const Dialect& dialect, std::size_t events_a_write) {
  const std::size_t writes = std::max<std::size_t>(1, kRingEvents / events_a_write);
  return dialect.render(make_events(writes * events_a_write), events_a_write);
}

}  // namespace metricsd::load
