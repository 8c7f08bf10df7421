// What a measuring program says of itself.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/json/object.hpp>

namespace metricsd::measuring {

// CPU time of all threads of this process, in nanoseconds.
[[nodiscard]] std::int64_t process_cpu_ns();
// The same of the calling thread.
[[nodiscard]] std::int64_t thread_cpu_ns();

// CPU nanoseconds of the calling thread in act(): what else the machine does meanwhile is not in them.
template <class Act>
double cpu_ns_of(Act&& act) {
  const std::int64_t begin = thread_cpu_ns();
  act();
  return static_cast<double>(thread_cpu_ns() - begin);
}

// The one line of JSON on stdout that the suite reads.
void print(const boost::json::object& result);

// Says on stderr what went wrong and ends with exit code 1.
[[noreturn]] void fail(std::string_view why);

}  // namespace metricsd::measuring
