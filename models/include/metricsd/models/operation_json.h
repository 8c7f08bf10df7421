// OperationMetric as one JSON object: the reader of every line that comes from outside, the writer of every
// line that leaves. The socket and the files share both.
//
// The reader is strict about what it knows (types, ranges, lengths, a key given twice) and lenient about the
// rest: key order, white space and unknown fields do not matter. A refusal names the reason and the field.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/operation.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace metricsd {

// One thread. Reuses its memory: keep one for each connection or file.
class OperationReader {
 public:
  enum class Outcome {
    operation,  // `out` holds it
    typed,      // the object has a `type` key: a message of the protocol, not an operation
    refused,    // see refusal() and refused_field()
  };

  // What becomes of throughput_mbps once it is found to be right: given, or left out for who has no use for
  // it (to make a double of its many digits takes as long as to read any other three fields).
  enum class Throughput { given, left_out };

  explicit OperationReader(Throughput throughput = Throughput::given);
  ~OperationReader();
  OperationReader(OperationReader&&) noexcept;
  OperationReader& operator=(OperationReader&&) noexcept;

  // Reads one complete JSON object. `out` then refers to `json` and to the reader's own memory, until the
  // next read(). After `refused` and `typed` it is unspecified.
  Outcome read(std::string_view json, OperationView& out);

  // The same in two parts, for who has many lines at hand. `lines` end in a newline; if the first of them is
  // an operation and written in a usual form, this reads it and returns its bytes with its LF or CR LF.
  // Otherwise 0: then read_any() is for it, whatever it is.
  std::size_t read_usual_line(std::string_view lines, OperationView& out);
  Outcome read_any(std::string_view json, OperationView& out);

  [[nodiscard]] Errc refusal() const noexcept;
  // The field at fault, "" where the text as a whole is. Valid until the next read().
  [[nodiscard]] std::string_view refused_field() const noexcept;
  // Unknown fields of the last operation read.
  [[nodiscard]] std::uint64_t unknown_fields() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends the operation as one compact object, keys in the contract's order; absent optional fields are left
// out.
void append_operation_json(std::string& out, const OperationView& operation);

}  // namespace metricsd
