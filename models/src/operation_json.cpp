#include "careful_operation_reader.h"
#include "usual_operation_reader.h"

#include <metricsd/models/operation_json.h>

namespace metricsd {

struct OperationReader::State {
  explicit State(Throughput throughput)
      : with_throughput(throughput == Throughput::given), usual(with_throughput) {}

  const bool with_throughput;
  UsualOperationReader usual;
  CarefulOperationReader careful;
  std::uint64_t unknown_fields = 0;
};

OperationReader::OperationReader(Throughput throughput) : state_(std::make_unique<State>(throughput)) {}
OperationReader::~OperationReader() = default;
OperationReader::OperationReader(OperationReader&&) noexcept = default;
OperationReader& OperationReader::operator=(OperationReader&&) noexcept = default;

OperationReader::Outcome OperationReader::read(std::string_view json, OperationView& out) {
  if (!state_->usual.read(json, out)) return read_any(json, out);
  state_->unknown_fields = 0;
  return Outcome::operation;
}

std::size_t OperationReader::read_usual_line(std::string_view lines, OperationView& out) {
  const std::size_t size = state_->usual.read_line(lines, out);
  if (size != 0) state_->unknown_fields = 0;
  return size;
}

OperationReader::Outcome OperationReader::read_any(std::string_view json, OperationView& out) {
  const Outcome outcome = state_->careful.read(json, out);
  state_->unknown_fields = state_->careful.unknown_fields();
  if (!state_->with_throughput) out.throughput_mbps.reset();
  return outcome;
}

Errc OperationReader::refusal() const noexcept {
  return state_->careful.refusal();
}
std::string_view OperationReader::refused_field() const noexcept {
  return state_->careful.refused_field();
}
std::uint64_t OperationReader::unknown_fields() const noexcept {
  return state_->unknown_fields;
}

}  // namespace metricsd
