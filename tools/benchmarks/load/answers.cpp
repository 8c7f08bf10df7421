#include "answers.h"

#include <algorithm>

namespace metricsd::load {

void AnswerCounter::take(std::string_view bytes) {
  pending_ += bytes;
  std::size_t at = 0;
  for (std::size_t found; (found = pending_.find(answer_, at)) != std::string::npos; ++count_)
    at = found + answer_.size();
  const std::size_t kept = std::min(answer_.size() - 1, pending_.size() - at);
  pending_.erase(0, pending_.size() - kept);
}

}  // namespace metricsd::load
