// metricsctl status: what the daemon says of itself.

#include "command.h"
#include "daemon_status.h"

#include <metricsd/models/json/document.h>

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace metricsd::tools {

namespace {

namespace json = boost::json;

constexpr int kAnswerTimeoutMs = 5000;

struct StatusOptions {
  std::string socket;
  bool as_json = false;
};

void append_leaf(std::string& out, const json::value& value) {
  if (value.is_string()) {
    out += value.get_string();
  } else {
    append_json(out, value);
  }
}

// `name.of.a.field  value`, a line a leaf, so that fields this program does not know are shown as well.
void append_lines(std::string& out, const std::string& name, const json::value& value) {
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& field : *object) {
      std::string path = name;
      if (!path.empty()) path += '.';
      path += field.key();
      append_lines(out, path, field.value());
    }
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      append_lines(out, name + "[" + std::to_string(i) + "]", (*array)[i]);
    }
  } else {
    constexpr std::size_t kNameWidth = 32;
    out += name;
    out.append(name.size() < kNameWidth ? kNameWidth - name.size() : 0, ' ');
    out += "  ";
    append_leaf(out, value);
    out += '\n';
  }
}

int show_status(const StatusOptions& options) {
  const auto paths = daemon_paths(options.socket);
  const auto status = ask_daemon(paths, kAnswerTimeoutMs);
  if (!status) return fail(explain(status.error(), paths));
  std::string text = status->json;
  if (!options.as_json) {
    text.clear();
    append_lines(text, "", parse_json(status->json).value());
  }
  if (!text.ends_with('\n')) text += '\n';
  std::fputs(text.c_str(), stdout);
  return kDone;
}

}  // namespace

void add_status_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* const command =
      app.add_subcommand("status", "Show what the daemon says of itself; fails where none runs");
  command->add_option("--socket", options->socket, "The daemon's socket (default: where clients look)");
  command->add_flag("--json", options->as_json, "As the daemon said it");
  command->callback([options, &exit_code] { exit_code = show_status(*options); });
}

}  // namespace metricsd::tools
