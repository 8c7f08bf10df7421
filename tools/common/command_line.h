// How the tools end where their command line was not one of theirs.
#pragma once

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace metricsd::tools {

// Prints the help or version that was asked for, or one line that says what was wrong and where the help is.
// The exit code: 0, or 2 for wrong usage.
int end_parsing(const CLI::App& app, const CLI::ParseError& error);

}  // namespace metricsd::tools
