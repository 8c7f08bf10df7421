// Losses by sink ("socket", "jsonl", ...) and cause ("no_daemon", "disk_full", ...), and their one JSON form:
// {"socket": {"no_daemon": 120}}.
#pragma once

#include <metricsd/models/errors.h>

#include <cstdint>
#include <map>
#include <string>

#include <boost/json/fwd.hpp>

namespace metricsd {

class JsonWriter;

using DropCounts = std::map<std::string, std::map<std::string, std::uint64_t>>;

void merge(DropCounts& into, const DropCounts& more);

void write_drop_counts(JsonWriter& writer, const DropCounts& counts);

// Errors: wrong_type; too_long and invalid_characters (names are type names); out_of_range (above 2^53);
// limit_reached (more pairs than limits::kDropCauses).
[[nodiscard]] Result<DropCounts> read_drop_counts(const boost::json::value& value);

}  // namespace metricsd
