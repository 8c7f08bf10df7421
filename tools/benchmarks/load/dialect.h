// How each peer is told of the same events. A dialect is a name, a renderer, and what the peer answers.
#pragma once

#include "event.h"
#include "payload.h"

#include <span>
#include <string>
#include <string_view>

namespace metricsd::load {

struct Dialect {
  std::string_view name;
  // The events in writes of so many; the last may hold fewer.
  Payload (*render)(std::span<const Event> events, std::size_t events_a_write);
  // The text of a peer's answer that says "taken", and how many of them an event has; "" where none is waited
  // for.
  std::string_view answer = {};
  unsigned answers_an_event = 0;
  // What opens a connection, a line answered by a line; null where nothing does.
  std::string (*greeting)() = nullptr;
};

// Null where the name is no dialect's.
[[nodiscard]] const Dialect* find_dialect(std::string_view name);
[[nodiscard]] std::span<const Dialect> all_dialects();

// A ring of at least one write, each of `events_a_write` events.
[[nodiscard]] Payload render_ring(const Dialect& dialect, std::size_t events_a_write);

}  // namespace metricsd::load
