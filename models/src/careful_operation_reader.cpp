#include "careful_operation_reader.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>

#include <boost/json/basic_parser_impl.hpp>

namespace metricsd {
namespace {

boost::json::parse_options parser_options() {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  return options;
}

}  // namespace

CarefulOperationReader::CarefulOperationReader() : parser_(parser_options()) {}

OperationReader::Outcome CarefulOperationReader::read(std::string_view json, OperationView& out) {
  OperationHandler& handler = parser_.handler();
  parser_.reset();
  handler.reset(json, out);
  error_code error;
  const std::size_t used = parser_.write_some(false, json.data(), json.size(), error);
  if (handler.typed()) return OperationReader::Outcome::typed;
  if (!error && json.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    error = Errc::malformed_json;
  if (!error) handler.check_whole();
  if (!error && !handler.fault()) return OperationReader::Outcome::operation;
  refusal_ = error ? json_errc(error) : *handler.fault();
  refused_field_ = error ? std::string_view() : handler.fault_field();
  return OperationReader::Outcome::refused;
}

}  // namespace metricsd
