// Operations, and what readers say of lines, as text: to compare two, and to show how they differ.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/operation_json.h>

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::support {

inline std::string text_of(const std::optional<Timestamp>& at) {
  return at ? std::to_string(at->ns) : "-";
}

// Doubles by their bits, texts with their sizes.
inline std::string text_of(const OperationView& operation) {
  std::string out;
  for (const std::string_view text :
       {operation.operation_id, operation.operation_type, operation.workload_type, operation.object_key,
        operation.error_code, operation.error_message, operation.driver, operation.user_id,
        operation.metadata}) {
    out.append(std::to_string(text.size())).append("'").append(text).append("' ");
  }
  for (const auto& at : {operation.timestamp_start, operation.timestamp_end, operation.intended_start}) {
    out.append(text_of(at)).append(" ");
  }
  const auto bits = std::bit_cast<std::uint64_t>(operation.throughput_mbps.value_or(0));
  out.append(operation.throughput_mbps ? std::to_string(bits) : "-").append(" ");
  out.append(std::to_string(operation.object_size_bytes)).append(" ");
  out.append(std::to_string(operation.duration_ns)).append(" ");
  out.append(std::to_string(operation.retry_count)).append(operation.success ? " true" : " false");
  return out;
}

inline std::string text_of_all(OperationView& operation) {
  return text_of(operation);
}
inline std::string text_without_throughput(OperationView& operation) {
  operation.throughput_mbps.reset();
  return text_of(operation);
}

// What an OperationReader, or one that keeps its contract, says of a line: the operation, or the refusal.
template <class Reader>
std::string answer_of(Reader& reader, std::string_view line,
                      std::string describe(OperationView&) = text_of_all) {
  OperationView operation;
  switch (reader.read(line, operation)) {
    case OperationReader::Outcome::operation:
      return describe(operation) + " unknown " + std::to_string(reader.unknown_fields());
    case OperationReader::Outcome::typed: return "typed";
    case OperationReader::Outcome::refused: break;
  }
  return std::string(reason(reader.refusal())) + " " + std::string(reader.refused_field());
}

}  // namespace metricsd::support
