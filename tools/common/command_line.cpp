#include "command_line.h"

#include <metricsd/exporters/text_table.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

namespace metricsd::tools {

int end_parsing(const CLI::App& app, const CLI::ParseError& error) {
  constexpr int kUsage = 2;
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  std::string line = error.what();
  std::replace(line.begin(), line.end(), '\n', ' ');
  const std::string& name = app.get_name();
  std::fprintf(stderr, "%s: %s (see %s --help)\n", name.c_str(), exporters::printable(line).c_str(),
               name.c_str());
  return kUsage;
}

}  // namespace metricsd::tools
