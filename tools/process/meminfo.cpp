#include "meminfo.h"

#include "keyed_numbers.h"

#include <metricsd/models/limits.h>

namespace metricsd::tools {

namespace {

std::optional<std::uint64_t> bytes_of(std::string_view text, std::string_view key) {
  const auto kibibytes = number_of(text, key);
  if (!kibibytes || *kibibytes > limits::kWhole / 1024) return std::nullopt;
  return *kibibytes * 1024;
}

}  // namespace

std::optional<MemorySample> decode_meminfo(std::string_view text) {
  const auto total = bytes_of(text, "MemTotal:");
  const auto free = bytes_of(text, "MemFree:");
  if (!total || !free) return std::nullopt;
  return MemorySample{.total_bytes = *total,
                      .free_bytes = *free,
                      .available_bytes = bytes_of(text, "MemAvailable:").value_or(*free),
                      .buffers_bytes = bytes_of(text, "Buffers:").value_or(0),
                      .cached_bytes = bytes_of(text, "Cached:").value_or(0),
                      .swap_total_bytes = bytes_of(text, "SwapTotal:").value_or(0),
                      .swap_free_bytes = bytes_of(text, "SwapFree:").value_or(0)};
}

}  // namespace metricsd::tools
