#include "handing_in.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/limits.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <unistd.h>

namespace metricsd::server {

struct HandingRoom::Taken {
  bool add(uid_t by, std::size_t most) {
    const std::lock_guard lock(mutex);
    if (sum >= most) return false;
    std::size_t& of_user = by_user[by];
    if (of_user >= limits::kHandedInByUser) return false;
    ++of_user;
    ++sum;
    return true;
  }
  void remove(uid_t by) {
    const std::lock_guard lock(mutex);
    --sum;
    const auto of_user = by_user.find(by);
    if (--of_user->second == 0) by_user.erase(of_user);
  }

  std::mutex mutex;
  std::size_t sum = 0;                   // guarded by mutex
  std::map<uid_t, std::size_t> by_user;  // likewise
};

HandingRoom::HandingRoom(std::size_t most) : most_(most), taken_(std::make_shared<Taken>()) {}

std::shared_ptr<const void> HandingRoom::take(uid_t by) {
  if (!taken_->add(by, most_)) return nullptr;
  return {this, [taken = taken_, by](const void*) { taken->remove(by); }};
}

void hand_in(UniqueFd segment, uid_t by, std::function<void(const ipc::AdoptedMessage&)> answer,
             Orphans& orphans, Delivery& delivery) {
  const auto fail = [&](const std::string& why) { answer({.client_id = "", .error = why}); };
  if (!segment.valid()) return fail("no descriptor came along");
  const auto uid = owner_of(segment.get());
  if (!uid) return fail(uid.error().message());
  if (*uid != by && by != 0 && by != ::geteuid()) return fail("it is another user's");
  const auto reader = ipc::SegmentReader::open(segment.get());
  if (!reader) return fail("it is no segment that can be read: " + reader.error().message());
  const auto owner = ipc::segment_owner(segment.get());
  if (!owner || *owner != -1) return fail("its process lives");
  if (const auto known = orphans.find(*uid, reader->client_id())) {
    // Closing a descriptor of the file would give the lock up that its delivery holds.
    known->answers.push_back(
        [answer = std::move(answer), held = std::make_shared<UniqueFd>(std::move(segment))](
            const ipc::AdoptedMessage& outcome) { answer(outcome); });
    if (known->state != Orphan::State::delivered) delivery.deliver(known);
    return;
  }
  const auto orphan = std::make_shared<Orphan>(*uid, reader->client_id(), std::move(segment));
  orphan->answers.push_back(std::move(answer));
  orphans.add(orphan);
  delivery.deliver(orphan);
}

}  // namespace metricsd::server
