#include "sink.h"

#include "connection.h"

#include <cstdio>
#include <vector>

namespace metricsd::load {

void read_only(const std::string& unix_path) {
  const Listener listener(unix_path);
  std::vector<char> buffer(std::size_t{256} * 1024);  // as the daemon's
  while (true) {
    Connection connection = listener.accept();
    std::uint64_t bytes = 0;
    while (const std::size_t taken = connection.read(buffer)) bytes += taken;
    std::printf("{\"bytes\":%llu}\n", static_cast<unsigned long long>(bytes));
    std::fflush(stdout);
  }
}

}  // namespace metricsd::load
