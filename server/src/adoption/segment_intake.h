// Where sessions hand the segments that come to them: to the adopter, by functions of its own, so that ingest
// knows no more of it.
#pragma once

#include <metricsd/ipc/message.h>
#include <metricsd/models/unique_fd.h>

#include <functional>
#include <memory>
#include <string>

#include <sys/types.h>

namespace metricsd::server {

// Any thread.
struct SegmentIntake {
  // A client's, whose hello it came with.
  std::function<void(uid_t uid, pid_t pid, std::string client_id, UniqueFd segment)> keep;
  // That client has said that nothing is left.
  std::function<void(uid_t uid, std::string client_id)> let_go;
  // A place for one whose line has not ended yet, held as long as that is awaited; null where there is none.
  std::function<std::shared_ptr<const void>(uid_t by)> hold;
  // That of a process that is gone. `by`: who hands it in. The answer comes sometime, on any thread.
  std::function<void(UniqueFd segment, uid_t by, std::function<void(const ipc::AdoptedMessage&)> answer)>
      hand_in;
};

}  // namespace metricsd::server
