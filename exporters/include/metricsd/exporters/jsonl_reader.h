// Reads an operations.jsonl line by line, also one that a crash cut short: lines that are no operation are
// counted and passed over. Empty lines are nothing (a writer begins with a newline after a write that was
// cut), and a last line without its newline is an operation if it is whole.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/operation.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace metricsd::exporters {

// One thread. Memory is bounded by the longest line accepted (limits::kFileLine).
class JsonlReader {
 public:
  // Errors: errno's of opening.
  [[nodiscard]] static Result<JsonlReader> open(const std::filesystem::path& path);
  JsonlReader(JsonlReader&&) noexcept;
  JsonlReader& operator=(JsonlReader&&) noexcept;
  ~JsonlReader();

  // False at the end of the file; then `out` is unspecified. Errors are those of reading.
  [[nodiscard]] Result<bool> next(OperationView& out);
  // What the operation read last was read from, without its newline. Valid until the next one is read.
  [[nodiscard]] std::string_view line() const;
  // Lines passed over so far, the cut last one included.
  [[nodiscard]] std::uint64_t bad_lines() const;
  // Read from the file so far, and its size when it was opened.
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::uint64_t bytes_in_all() const;

 private:
  struct State;
  explicit JsonlReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace metricsd::exporters
