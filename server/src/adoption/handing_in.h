// A segment that somebody brings: his own, or anyone's if he is root or the daemon's user.
#pragma once

#include "delivery.h"
#include "orphans.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <functional>
#include <memory>

#include <sys/types.h>

namespace metricsd::server {

// How many may be under way, of one user and in all: each is a descriptor of ours. Any thread.
class HandingRoom {
 public:
  explicit HandingRoom(std::size_t most);

  // A place, taken as long as this is held; null where there is none.
  [[nodiscard]] std::shared_ptr<const void> take(uid_t by);

 private:
  struct Taken;
  const std::size_t most_;
  const std::shared_ptr<Taken> taken_;
};

// Has it delivered, if its process is gone, as one of `orphans`. `answer` is called once, at the end of that
// or at once with the reason why not.
void hand_in(UniqueFd segment, uid_t by, std::function<void(const ipc::AdoptedMessage&)> answer,
             Orphans& orphans, Delivery& delivery);

}  // namespace metricsd::server
