#include "process.h"

#include <cstdlib>
#include <ctime>
#include <iostream>

#include <boost/json/serialize.hpp>

namespace metricsd::measuring {

namespace {

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace

std::int64_t process_cpu_ns() {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

std::int64_t thread_cpu_ns() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void print(const boost::json::object& result) {
  std::cout << boost::json::serialize(result) << std::endl;
}

void fail(std::string_view why) {
  std::cerr << why << std::endl;
  std::exit(EXIT_FAILURE);
}

}  // namespace metricsd::measuring
