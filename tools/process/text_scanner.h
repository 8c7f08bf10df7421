// Words and numbers of the kernel's text files, line by line. Nothing is copied.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace metricsd::tools {

class TextScanner {
 public:
  explicit TextScanner(std::string_view text) : rest_(text) { take_line(); }

  // Goes on to the next line, skipping what is left of this one. False behind the last.
  bool next_line() {
    if (rest_.empty()) return false;
    take_line();
    return true;
  }
  [[nodiscard]] std::string_view rest_of_line() const { return line_; }

  // The next word of this line; "" behind its last.
  std::string_view word() {
    const std::size_t begin = line_.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return line_ = {};
    line_.remove_prefix(begin);
    const std::string_view found = line_.substr(0, line_.find_first_of(kBlanks));
    line_.remove_prefix(found.size());
    return found;
  }
  void skip_words(unsigned count) {
    for (; count > 0; --count) word();
  }

  // The next word, where it is nothing but such a number.
  template <class T = std::uint64_t>
  requires std::integral<T> || std::floating_point<T> std::optional<T> number() {
    return as_number<T>(word());
  }

  template <class T = std::uint64_t>
  static std::optional<T> as_number(std::string_view word) {
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return value;
  }

 private:
  static constexpr const char* kBlanks = " \t";

  void take_line() {
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  }

  std::string_view line_;
  std::string_view rest_;
};

}  // namespace metricsd::tools
