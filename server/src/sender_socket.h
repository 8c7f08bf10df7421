// The socket that senders connect to, and who of them is let in.
#pragma once

#include "config.h"
#include "ingest/allow_list.h"
#include "service_manager.h"

#include <metricsd/ipc/endpoint.h>

#include <optional>
#include <string>

namespace metricsd::server {

// The one that the service manager listens on for us, if there is a manager that does; else that of the
// configuration. Nothing where that fails: `why` then is one line for a person.
[[nodiscard]] std::optional<ipc::Endpoint> open_sender_socket(const Config& config, ServiceManager& manager,
                                                              std::string& why);

// Those of the configuration, or the socket's own group. Nothing where that fails, as above.
[[nodiscard]] std::optional<AllowList> read_allow_list(const Config& config, const ipc::Endpoint& socket,
                                                       std::string& why);

}  // namespace metricsd::server
