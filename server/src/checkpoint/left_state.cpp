#include "left_state.h"

#include <limits>
#include <utility>

namespace metricsd::server {

bool LeftState::take(const Frame& frame) {
  auto body = decode_checkpoint(frame.body);
  if (!body) return false;
  if (frame.kind == FrameKind::base) {
    // A catalog of its own, with room for whatever there was: what fits into this life is asked later.
    const auto catalog = std::make_shared<Catalog>(std::numeric_limits<std::size_t>::max());
    parts_.clear();
    for (std::size_t i = 0; i < body->cuts.size(); ++i) parts_.push_back(std::make_unique<Replica>(catalog));
  }
  if (body->cuts.size() != parts_.size()) return false;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!parts_[i]->load(body->cuts[i], body->head.at)) return false;
  }
  head_ = std::move(body->head);
  return true;
}

}  // namespace metricsd::server
