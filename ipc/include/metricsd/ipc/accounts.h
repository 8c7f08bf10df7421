// Users and groups of the machine, by name or by number.
#pragma once

#include <metricsd/models/errors.h>

#include <string>

#include <sys/types.h>

namespace metricsd::ipc {

// A number is taken as it is, be there such an account or not. Errors: account_not_found, the system's. They
// ask the system's databases, which may wait for a network.
[[nodiscard]] Result<uid_t> user_id(const std::string& name_or_number);
[[nodiscard]] Result<gid_t> group_id(const std::string& name_or_number);

}  // namespace metricsd::ipc
