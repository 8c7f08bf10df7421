// Counting a peer's answers in the bytes that come back, however they are cut.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace metricsd::load {

class AnswerCounter {
 public:
  // `answer` is what each of them contains once.
  explicit AnswerCounter(std::string answer) : answer_(std::move(answer)) {}

  void take(std::string_view bytes);
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::string answer_;
  std::string pending_;  // what may be the beginning of one
  std::uint64_t count_ = 0;
};

}  // namespace metricsd::load
