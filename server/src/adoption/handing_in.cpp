#include "handing_in.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>

#include <memory>
#include <string>
#include <utility>

#include <unistd.h>

namespace metricsd::server {

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
    known->answers.push_back(std::move(answer));
    if (known->state != Orphan::State::delivered) delivery.deliver(known);
    return;
  }
  const auto orphan = std::make_shared<Orphan>(*uid, reader->client_id(), std::move(segment));
  orphan->answers.push_back(std::move(answer));
  orphans.add(orphan);
  delivery.deliver(orphan);
}

}  // namespace metricsd::server
