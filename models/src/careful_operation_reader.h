// The careful path of OperationReader: any JSON text, read by Boost.JSON's parser into OperationHandler. It
// alone says what is refused, and why.
#pragma once

#include "operation_handler.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/operation_json.h>

#include <cstdint>
#include <string_view>

#include <boost/json/basic_parser.hpp>

namespace metricsd {

// One thread. The same contract as OperationReader.
class CarefulOperationReader {
 public:
  CarefulOperationReader();

  OperationReader::Outcome read(std::string_view json, OperationView& out);

  [[nodiscard]] Errc refusal() const noexcept { return refusal_; }
  [[nodiscard]] std::string_view refused_field() const noexcept { return refused_field_; }
  [[nodiscard]] std::uint64_t unknown_fields() const noexcept { return parser_.handler().unknown_fields(); }

 private:
  boost::json::basic_parser<OperationHandler> parser_;
  Errc refusal_ = Errc::malformed_json;
  std::string_view refused_field_;
};

}  // namespace metricsd
