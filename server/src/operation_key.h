// What tells the series of one operation from those of another, in a form that is compared in a few
// instructions: the texts' first and last bytes, which are all of a text of at most 16.
#pragma once

#include <metricsd/ipc/batch.h>
#include <metricsd/models/operation.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>

namespace metricsd::server {

struct LiveRun;

// What operations have in common that are counted in the same series. The texts live elsewhere; their sizes
// are within limits.h. Where the operation succeeded there is no error code.
using OperationLabels = ipc::SharedFieldsView;

[[nodiscard]] inline OperationLabels labels_of(const OperationView& operation) {
  return {.operation_type = operation.operation_type,
          .workload_type = operation.workload_type,
          .driver = operation.driver,
          .success = operation.success,
          .error_code = operation.success ? std::string_view() : operation.error_code};
}

[[nodiscard]] inline OperationLabels labels_of(const ipc::SharedFields& fields) {
  return {.operation_type = fields.operation_type,
          .workload_type = fields.workload_type,
          .driver = fields.driver,
          .success = fields.success,
          .error_code = fields.success ? std::string_view() : std::string_view(fields.error_code)};
}

// Equal keys mean equal labels, unless one of the texts is long: then the texts are compared as well.
class OperationKey {
 public:
  OperationKey(const OperationLabels& labels, const LiveRun* run) : run_(run) {
    print(labels.operation_type, 0);
    print(labels.workload_type, 1);
    print(labels.driver, 2);
    print(labels.error_code, 3);
    sizes_ = sizes_ << 1 | (labels.success ? 1U : 0U);
  }

  [[nodiscard]] bool has_long_text() const { return long_; }
  [[nodiscard]] std::uint64_t hash(const std::array<std::uint64_t, 10>& multipliers) const {
    std::uint64_t sum = sizes_ * multipliers[8] + reinterpret_cast<std::uintptr_t>(run_) * multipliers[9];
    for (std::size_t i = 0; i < words_.size(); ++i) sum += words_[i] * multipliers[i];
    return sum;
  }
  // Without a branch or a call: they mostly are equal.
  bool operator==(const OperationKey& other) const {
    std::uint64_t differences = sizes_ ^ other.sizes_;
    for (std::size_t i = 0; i < words_.size(); ++i) differences |= words_[i] ^ other.words_[i];
    return differences == 0 && run_ == other.run_;
  }

 private:
  static std::uint64_t load(const char* from, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, bytes);
    return word;
  }

  void print(std::string_view text, std::size_t at) {
    const char* const begin = text.data();
    const std::size_t size = text.size();
    std::uint64_t& first = words_[2 * at];
    std::uint64_t& last = words_[2 * at + 1];
    if (size > 16) [[unlikely]] {
      long_ = true;
      first = std::hash<std::string_view>{}(text);
    } else if (size >= 8) {
      first = load(begin, 8);
      last = load(begin + size - 8, 8);
    } else if (size >= 4) {
      first = load(begin, 4) | load(begin + size - 4, 4) << 32;
    } else if (size > 0) {
      first = load(begin, 1) | load(begin + size / 2, 1) << 8 | load(begin + size - 1, 1) << 16;
    }
    sizes_ = sizes_ << 12 | size;
  }

  std::array<std::uint64_t, 8> words_{};
  std::uint64_t sizes_ = 0;  // of the texts, and the outcome
  const LiveRun* run_;       // null: plain senders'
  bool long_ = false;
};

}  // namespace metricsd::server
