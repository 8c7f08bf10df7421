#include "daemon_status.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/models/json/document.h>

#include <boost/json.hpp>
#include <unistd.h>

namespace metricsd::tools {

namespace {

namespace json = boost::json;

std::string text_or_empty(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> texts(const json::object& object, std::string_view key) {
  std::vector<std::string> found;
  const json::value* list = object.if_contains(key);
  if (list == nullptr || !list->is_array()) return found;
  for (const json::value& item : list->get_array()) {
    if (item.is_string()) found.emplace_back(item.get_string());
  }
  return found;
}

}  // namespace

Result<DaemonStatus> ask_daemon(const std::vector<std::filesystem::path>& paths, int timeout_ms) {
  auto line = ipc::request_status(paths, ::geteuid(), timeout_ms);
  if (!line) return line.error();
  const auto document = parse_json(*line);
  if (!document) return document.error();
  const json::object* object = document->if_object();
  if (object == nullptr) return Errc::not_an_object;

  DaemonStatus status;
  const json::value* ready = object->if_contains("ready");
  status.ready = ready != nullptr && ready->is_bool() && ready->get_bool();
  const json::value* pid = object->if_contains("pid");
  status.pid = pid != nullptr && pid->is_int64() ? pid->get_int64() : 0;
  status.socket = text_or_empty(*object, "socket");
  status.web_addresses = texts(*object, "web");
  status.json = std::move(*line);
  return status;
}

std::vector<std::filesystem::path> daemon_paths(const std::string& told) {
  return ipc::connect_paths(told, ipc::Environment::of_process());
}

std::string explain(const error_code& error, const std::vector<std::filesystem::path>& paths) {
  std::string places;
  for (const auto& path : paths) places += (places.empty() ? "" : ", ") + path.string();
  if (error == Errc::no_daemon) return "no daemon answers at " + places;
  return "the daemon at " + places + ": " + error.message();
}

}  // namespace metricsd::tools
