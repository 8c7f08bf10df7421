// The dialects' renderers: each appends one write.
#pragma once

#include "event.h"
#include "payload.h"

#include <span>
#include <string>

namespace metricsd::load {

// One JSON line an event, as the client library writes it.
void render_metricsd_lines(PayloadBuilder& out, std::span<const Event> events);
// One columnar batch of all of them; its sequence is the first running counter. A hello comes first.
void render_metricsd_batch(PayloadBuilder& out, std::span<const Event> events);
// A hello of a client of its own, whose stream 0 starts at kFirstNumber.
[[nodiscard]] std::string metricsd_hello();

// Three lines an event: a counter, a timer, a counter of bytes; the labels are parts of the name.
void render_statsd(PayloadBuilder& out, std::span<const Event> events);
// One line of Influx's protocol an event, with three fields; the peer gives the time.
void render_influx(PayloadBuilder& out, std::span<const Event> events);
// Three PUTVAL an event. collectd keeps last values, so the count is a running total.
void render_collectd(PayloadBuilder& out, std::span<const Event> events);
// One HTTP PUT an event, many of them pipelined in one write. The gateway keeps last values, too.
void render_pushgateway(PayloadBuilder& out, std::span<const Event> events);

}  // namespace metricsd::load
