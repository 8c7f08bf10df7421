#include "pressure.h"

#include "text_scanner.h"

namespace metricsd::tools {

namespace {

struct Stall {
  double seconds = 0;
  double avg10_percent = 0;
};

template <class T>
std::optional<T> value_of(std::string_view word, std::string_view key) {
  if (!word.starts_with(key)) return std::nullopt;
  return TextScanner::as_number<T>(word.substr(key.size()));
}

// "avg10=0.00 avg60=0.00 avg300=0.00 total=0"
std::optional<Stall> decode_stall(TextScanner& line) {
  const auto avg10 = value_of<double>(line.word(), "avg10=");
  line.skip_words(2);
  const auto total = value_of<std::uint64_t>(line.word(), "total=");
  if (!avg10 || !total) return std::nullopt;
  return Stall{static_cast<double>(*total) / 1e6, *avg10};
}

}  // namespace

std::optional<PressureSample> decode_pressure(std::string_view resource, std::string_view text) {
  PressureSample sample{.resource = resource, .full_seconds = {}, .full_avg10_percent = {}};
  bool has_some = false;
  TextScanner lines(text);
  do {
    const std::string_view share = lines.word();
    const auto stall = decode_stall(lines);
    if (!stall) continue;
    if (share == "some") {
      sample.some_seconds = stall->seconds;
      sample.some_avg10_percent = stall->avg10_percent;
      has_some = true;
    } else if (share == "full") {
      sample.full_seconds = stall->seconds;
      sample.full_avg10_percent = stall->avg10_percent;
    }
  } while (lines.next_line());
  return has_some ? std::optional(sample) : std::nullopt;
}

}  // namespace metricsd::tools
