// What a sender writes, rendered before the clock starts: a ring of writes, sent round and round.
//
// Numbers that must grow (a batch's sequence, a running total) are rendered with a fixed number of digits, so
// that sending costs no more than adding to those digits in place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::load {

// Where every running number starts. All of them keep its number of digits, which JSON wants without leading
// zeros.
inline constexpr std::uint64_t kFirstNumber = 1'000'000'000'000;

struct RunningNumber {
  std::size_t offset = 0;   // of its first digit in the text
  std::uint64_t value = 0;  // as it stands there
  std::uint64_t step = 0;   // what one time round the ring adds
};

struct Write {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::size_t first_number = 0;  // index of the first running number in it
  std::size_t numbers = 0;
};

class Payload {
 public:
  [[nodiscard]] std::span<const Write> writes() const { return writes_; }
  [[nodiscard]] std::string_view bytes(const Write& write) const;
  // Makes its running numbers those of the next time round the ring.
  void advance(const Write& write);

 private:
  friend class PayloadBuilder;
  std::string text_;
  std::vector<Write> writes_;
  std::vector<RunningNumber> numbers_;
};

// Renders one write after the other.
class PayloadBuilder {
 public:
  static constexpr std::size_t kCounters = 16;

  // To append to.
  [[nodiscard]] std::string& text() { return payload_.text_; }
  // One of kCounters counters, all of which start at kFirstNumber.
  [[nodiscard]] std::uint64_t value(std::size_t counter) const { return kFirstNumber + totals_.at(counter); }
  void add(std::size_t counter, std::uint64_t amount) { totals_.at(counter) += amount; }
  // Says that its value stands at `offset` of the text, and is to grow as the counter does.
  void let_grow(std::size_t counter, std::size_t offset);
  // Appends its value, which is to grow.
  void append(std::size_t counter);
  void end_write();
  [[nodiscard]] Payload finish() &&;

 private:
  Payload payload_;
  std::vector<std::size_t> counter_of_;  // one for each running number
  std::array<std::uint64_t, kCounters> totals_{};
};

}  // namespace metricsd::load
