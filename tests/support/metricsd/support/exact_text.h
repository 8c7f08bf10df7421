// A text in memory of its very size: a sanitizer sees what is read behind it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace metricsd::support {

class ExactText {
 public:
  explicit ExactText(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    text.copy(bytes_.get(), size_);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

}  // namespace metricsd::support
