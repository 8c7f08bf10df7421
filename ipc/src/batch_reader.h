// Reads lines of type `batch`. The inverse of BatchEncoder.
//
// Two ways to the same answer: one for lines exactly as BatchEncoder writes them, at a few nanoseconds a
// number, and one over the parsed document for every other line. A differential test holds them together.
#pragma once

#include <metricsd/ipc/batch.h>

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace metricsd::ipc {

// One connection's; one thread.
class BatchReader {
 public:
  // How every line begins that read_usual() can take.
  static constexpr std::string_view kUsualStart = R"({"type":"batch","stream":)";

  // False where the line is not in the usual form or has a fault: then read() must see it.
  [[nodiscard]] bool read_usual(std::string_view line);
  // The refusal where the line does not even say which records it stands for.
  [[nodiscard]] std::optional<Refusal> read(const boost::json::object& object);

  // What the last successful call read; Batch::refusal may still refuse all of it.
  [[nodiscard]] const Batch& batch() const { return batch_; }
  // Gives back what memory a large batch took.
  void recycle();

 private:
  void set_shared(std::vector<SharedFields> shared);

  Batch batch_;
  std::string usual_head_;  // the text of the dictionary in batch_.shared, where read_usual() took it
  std::vector<SharedFields> scratch_;
};

}  // namespace metricsd::ipc
