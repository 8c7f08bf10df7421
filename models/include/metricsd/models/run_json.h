// Run as JSON: test_config.json, and the `run` object of run_start.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/run.h>

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace metricsd {

// The fields of a Run from a JSON object; unknown keys are ignored. Errors as for operations.
[[nodiscard]] Result<Run> run_from_json(const boost::json::object& object);
[[nodiscard]] Result<Run> parse_run(std::string_view json);

// Writes the fields into the object that `writer` has open.
void write_run_fields(JsonWriter& writer, const Run& run);

}  // namespace metricsd
