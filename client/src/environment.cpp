#include "environment.h"

#include <metricsd/models/json/writer.h>
#include <metricsd/models/text.h>

#include <algorithm>
#include <cstdint>

#include <sys/sysinfo.h>
#include <sys/utsname.h>

namespace metricsd::client {
namespace {

std::uint64_t memory_bytes() {
  struct sysinfo info {};
  return ::sysinfo(&info) == 0 ? std::uint64_t{info.totalram} * info.mem_unit : 0;
}

}  // namespace

std::string describe_environment() {
  utsname system{};
  static_cast<void>(::uname(&system));
  std::string host;
  assign_clean(host, system.nodename, sizeof system.nodename);
  const std::string kernel = std::string(system.sysname) + " " + system.release;
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("host", host)
      .field("kernel", kernel)
      .field("cpu_count", std::max(::get_nprocs(), 1))
      .field("memory_bytes", memory_bytes())
      .field("library_version", METRICSD_VERSION)
      .end_object();
  return out;
}

}  // namespace metricsd::client
