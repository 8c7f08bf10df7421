// metricsd: the daemon.

#include "config.h"
#include "daemon.h"

#include <metricsd/ipc/endpoint_path.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace metricsd;
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const server::CommandLine line = server::parse_command_line(arguments, ipc::Environment::of_process());
    if (line.config) return server::run_daemon(*line.config);
    std::fputs(line.output.c_str(), line.exit_code == 0 ? stdout : stderr);
    return line.exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "metricsd: %s\n", error.what());
    return 1;
  }
}
