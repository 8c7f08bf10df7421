// A segment that somebody brings: his own, or anyone's if he is root or the daemon's user.
#pragma once

#include "delivery.h"
#include "orphans.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/unique_fd.h>

#include <functional>

#include <sys/types.h>

namespace metricsd::server {

// Has it delivered, if its process is gone, as one of `orphans`. `answer` is called once, at the end of that
// or at once with the reason why not.
void hand_in(UniqueFd segment, uid_t by, std::function<void(const ipc::AdoptedMessage&)> answer,
             Orphans& orphans, Delivery& delivery);

}  // namespace metricsd::server
