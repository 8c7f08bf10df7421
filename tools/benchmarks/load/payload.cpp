#include "payload.h"

#include <cassert>
#include <charconv>
#include <utility>

namespace metricsd::load {

std::string_view Payload::bytes(const Write& write) const {
  return std::string_view(text_).substr(write.offset, write.length);
}

void Payload::advance(const Write& write) {
  constexpr std::size_t kDigits = 13;
  static_assert(kFirstNumber == 1'000'000'000'000);
  for (RunningNumber& number : std::span(numbers_).subspan(write.first_number, write.numbers)) {
    number.value += number.step;
    char* const digits = text_.data() + number.offset;
    std::to_chars(digits, digits + kDigits, number.value);
  }
}

void PayloadBuilder::let_grow(std::size_t counter, std::size_t offset) {
  payload_.numbers_.push_back({.offset = offset, .value = value(counter)});
  counter_of_.push_back(counter);
}

void PayloadBuilder::append(std::size_t counter) {
  let_grow(counter, text().size());
  text() += std::to_string(value(counter));
}

void PayloadBuilder::end_write() {
  Write write;
  if (!payload_.writes_.empty()) {
    const Write& last = payload_.writes_.back();
    write = {.offset = last.offset + last.length, .first_number = last.first_number + last.numbers};
  }
  write.length = text().size() - write.offset;
  write.numbers = payload_.numbers_.size() - write.first_number;
  payload_.writes_.push_back(write);
}

Payload PayloadBuilder::finish() && {
  for (std::size_t i = 0; i < counter_of_.size(); ++i) payload_.numbers_[i].step = totals_[counter_of_[i]];
  return std::move(payload_);
}

}  // namespace metricsd::load
