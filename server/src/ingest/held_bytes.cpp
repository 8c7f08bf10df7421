#include "held_bytes.h"

namespace metricsd::server {

void HeldBytes::set(Gauge::Owner connection, std::size_t bytes, bool begins_anew) {
  const auto place = places_.find(connection);
  if (place == places_.end()) {
    if (bytes == 0) return;
    places_.emplace(connection, by_age_.insert(by_age_.end(), {connection, bytes}));
    sum_ += bytes;
    return;
  }
  Entry& entry = *place->second;
  sum_ = sum_ - entry.bytes + bytes;
  entry.bytes = bytes;
  if (bytes == 0) {
    by_age_.erase(place->second);
    places_.erase(place);
  } else if (begins_anew) {
    by_age_.splice(by_age_.end(), by_age_, place->second);
  }
}

std::optional<Gauge::Owner> HeldBytes::surplus() const {
  if (sum_ <= most_) return std::nullopt;
  return by_age_.front().connection;
}

}  // namespace metricsd::server
