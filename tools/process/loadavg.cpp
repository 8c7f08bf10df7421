#include "loadavg.h"

#include "text_scanner.h"

#include <cmath>

namespace metricsd::tools {

std::optional<LoadSample> decode_loadavg(std::string_view text) {
  TextScanner line(text);
  LoadSample load;
  for (double* const minutes : {&load.one, &load.five, &load.fifteen}) {
    const auto number = line.number<double>();
    if (!number || !std::isfinite(*number)) return std::nullopt;
    *minutes = *number;
  }
  return load;
}

}  // namespace metricsd::tools
