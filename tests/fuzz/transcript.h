// What a decoder says of what it is fed, as text.
#pragma once

#include <metricsd/ipc/decoder.h>
#include <metricsd/models/limits.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace metricsd::fuzz {

class Transcript {
 public:
  explicit Transcript(std::size_t max_line = limits::kPlainLine) : decoder_(max_line) {}

  // The bytes lie in memory of their very size, which is gone afterwards.
  void feed(std::string_view bytes);
  void finish();

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void note(ipc::Decoder::Step step);

  ipc::Decoder decoder_;
  std::string text_;
};

}  // namespace metricsd::fuzz
