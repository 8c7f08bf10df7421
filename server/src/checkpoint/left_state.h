// What an earlier life of the daemon left behind, put together from the frames of its last checkpoint: as
// many parts as it had shards.
#pragma once

#include "checkpoint_body.h"
#include "frame.h"
#include "replica.h"

#include <memory>
#include <optional>

namespace metricsd::server {

// One thread.
class LeftState {
 public:
  // Takes over a base, which begins anew, or an increment to what there is. False where it is none: then only
  // a base may follow.
  [[nodiscard]] bool take(const Frame& frame);

  // Of the last frame.
  [[nodiscard]] const CheckpointHead& head() const { return head_; }
  [[nodiscard]] const Replicas& parts() const { return parts_; }

 private:
  CheckpointHead head_;
  Replicas parts_;
};

}  // namespace metricsd::server
