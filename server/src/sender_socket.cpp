#include "sender_socket.h"

#include <utility>

#include <unistd.h>

namespace metricsd::server {
namespace {

std::optional<ipc::Endpoint> inherit(ServiceManager& manager, std::string& why) {
  auto listener = manager.take_listener();
  if (!listener) {
    why = "the service manager handed over more than one socket; it is to be the one that senders use";
    return std::nullopt;
  }
  auto inherited = ipc::Endpoint::inherit(*std::move(listener), &why);
  if (!inherited) return std::nullopt;
  return *std::move(inherited);
}

}  // namespace

std::optional<ipc::Endpoint> open_sender_socket(const Config& config, ServiceManager& manager,
                                                std::string& why) {
  if (manager.listeners() > 0) return inherit(manager, why);
  auto claimed = ipc::Endpoint::claim(
      {.path = config.socket, .mode = config.socket_mode, .group = config.socket_group}, &why);
  if (claimed) return *std::move(claimed);
  if (why.empty()) why = config.socket.string() + ": " + claimed.error().message();
  return std::nullopt;
}

std::optional<AllowList> read_allow_list(const Config& config, const ipc::Endpoint& socket,
                                         std::string& why) {
  const auto group = socket.group();
  if (!group) {
    why = "cannot examine " + socket.path().string() + ": " + group.error().message();
    return std::nullopt;
  }
  auto list = AllowList::make({.users = config.socket_allow_uids,
                               .groups = config.socket_allow_groups,
                               .own_uid = ::geteuid(),
                               .socket_group = *group},
                              why);
  if (!list) return std::nullopt;
  return *std::move(list);
}

}  // namespace metricsd::server
