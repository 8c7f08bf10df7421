// How long tests over made-up input run, and where they begin: by default what CI bears, else as
// METRICSD_FUZZ_CASES and METRICSD_FUZZ_SEED say.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace metricsd::support {

namespace detail {

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace detail

inline std::uint64_t fuzz_cases(std::uint64_t otherwise) {
  return detail::from_environment("METRICSD_FUZZ_CASES", otherwise);
}

inline std::uint64_t fuzz_seed(std::uint64_t otherwise) {
  return detail::from_environment("METRICSD_FUZZ_SEED", otherwise);
}

}  // namespace metricsd::support
