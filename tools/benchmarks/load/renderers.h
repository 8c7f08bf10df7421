// The dialects' renderers: all of `events`, in writes of `events_a_write`.
#pragma once

#include "event.h"
#include "payload.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace metricsd::load {

// `render_write(builder, events)` appends one write.
template <class RenderWrite>
[[nodiscard]] Payload render_writes(std::span<const Event> events, std::size_t events_a_write,
                                    RenderWrite render_write) {
  PayloadBuilder out;
  while (!events.empty()) {
    const std::size_t taken = std::min(events_a_write, events.size());
    render_write(out, events.first(taken));
    out.end_write();
    events = events.subspan(taken);
  }
  return std::move(out).finish();
}

// One JSON line an event.
[[nodiscard]] Payload render_metricsd_lines(std::span<const Event> events, std::size_t events_a_write);
// One batch a write, as the client library writes it; a hello comes before the first.
[[nodiscard]] Payload render_metricsd_batches(std::span<const Event> events, std::size_t events_a_write);
// A hello of a client of its own, whose stream 0 starts at kFirstNumber.
[[nodiscard]] std::string metricsd_hello();

// Three lines an event: a counter, a timer, a counter of bytes; the labels are parts of the name.
[[nodiscard]] Payload render_statsd(std::span<const Event> events, std::size_t events_a_write);
// One line of Influx's protocol an event, with three fields; the peer gives the time.
[[nodiscard]] Payload render_influx(std::span<const Event> events, std::size_t events_a_write);
// Three PUTVAL an event. collectd keeps last values, so the count is a running total.
[[nodiscard]] Payload render_collectd(std::span<const Event> events, std::size_t events_a_write);
// One HTTP PUT an event, many of them pipelined in one write. The gateway keeps last values, too.
[[nodiscard]] Payload render_pushgateway(std::span<const Event> events, std::size_t events_a_write);

}  // namespace metricsd::load
