// Many operations in one columnar line: a dictionary of what they share, and short rows that complete it.
//
//   {"type":"batch","stream":0,"first_seq":1,"count":3,
//    "shared":[{"operation_type":"upload","workload_type":"s3","driver":"boto","success":true}],
//    "fields":["duration_ns","object_size_bytes","retry_count"],
//    "rows":[[0,112500000,1048576,0],[0,98000000,4096,1],null]}
//
// A row is the index of its entry in `shared`, then its own values in the order of `fields`; a null row is a
// record that the sender itself took back and counted: it moves the sequence on, no more. Rows are
// consecutive records of one stream, the first of them number `first_seq`. docs/wire-protocol.md has every
// rule.
#pragma once

#include <metricsd/ipc/message.h>
#include <metricsd/models/errors.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd::ipc {

// One entry of a batch's dictionary; the rules of an operation's fields.
template <class Text>
struct BasicSharedFields {
  Text operation_type{};
  Text workload_type{};
  Text driver{};
  bool success = true;
  Text error_code{};  // empty: none

  template <class Other>
  bool operator==(const BasicSharedFields<Other>& other) const {
    return operation_type == other.operation_type && success == other.success &&
           workload_type == other.workload_type && driver == other.driver && error_code == other.error_code;
  }
};
using SharedFields = BasicSharedFields<std::string>;
using SharedFieldsView = BasicSharedFields<std::string_view>;

struct BatchRow {
  static constexpr std::uint32_t kNoOperation = UINT32_MAX;

  std::uint32_t shared = kNoOperation;  // index into Batch::shared
  Errc refusal{};  // of a row without an operation: why it was refused; nothing where the sender took it back
  std::int64_t duration_ns = 0;
  std::uint64_t object_size_bytes = 0;
  std::uint64_t retry_count = 0;
};

// What a line of type `batch` says.
struct Batch {
  std::uint32_t stream = 0;
  std::uint64_t first_seq = 0;  // 1 to 2^53
  std::uint64_t count = 0;      // at most limits::kBatchRows
  std::vector<SharedFields> shared;
  // Grows whenever `shared` is not what it was in the batch before: what was derived from it may be kept
  // meanwhile.
  std::uint64_t shared_version = 0;
  std::vector<BatchRow> rows;        // `count`, or none where the batch is refused
  std::uint64_t unknown_fields = 0;  // of the batch: each unknown column counts once a row
  // Why all of it is refused, though it says which records it stands for.
  std::optional<Refusal> refusal;
};

// Writes batches of one stream. Keeps its dictionary from batch to batch while it is small, since a reader
// recognises one that it has seen. One thread.
class BatchEncoder {
 public:
  // The next batch of `stream`, whose first row is record `first_seq`.
  void begin(std::uint32_t stream, std::uint64_t first_seq);
  // The index of an entry of the dictionary, added where there is none; good until the next begin().
  [[nodiscard]] std::uint32_t shared(const SharedFieldsView& fields);
  void add(std::uint32_t shared, std::int64_t duration_ns, std::uint64_t object_size_bytes,
           std::uint64_t retry_count);
  // A record that the sender took back.
  void add_nothing();
  // Whether the batch must end before the next row: count or bytes have reached what a daemon takes.
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Of the line that finish() would append, less some hundred.
  [[nodiscard]] std::size_t bytes() const { return rows_.size() + dictionary_.size(); }
  // Appends the line; the batch is over.
  void finish(std::string& out);

  // The batch is over without a line, and its dictionary with it: for who caught what a call threw.
  void forget() noexcept;

  // Grows when the dictionary is begun anew: indices from before mean nothing then.
  [[nodiscard]] std::uint64_t dictionary_version() const { return dictionary_version_; }

 private:
  [[nodiscard]] std::uint32_t find_or_add(const SharedFieldsView& fields);

  std::uint32_t stream_ = 0;
  std::uint64_t first_seq_ = 0;
  std::uint64_t count_ = 0;
  std::string rows_;
  std::string dictionary_;  // its entries, with commas
  std::unordered_map<std::string, std::uint32_t> indices_;
  std::string key_;  // reused
  // Entries asked for lately, each at a place that follows from its texts: mostly saves the hash of them all.
  struct Recent {
    SharedFields fields;
    std::uint32_t index = 0;
    std::uint64_t version = UINT64_MAX;  // of the dictionary
  };
  std::array<Recent, 16> recent_;
  std::uint64_t dictionary_version_ = 0;
};

}  // namespace metricsd::ipc
