#include "expiry.h"

namespace metricsd::server {

bool Expiry::agree(const Registry& registry) {
  std::unique_lock lock(mutex_);
  if (state_ == State::called_off) return false;
  registry.strike_touched(idle_, before_ns_);
  if (--awaited_ == 0) settle(State::agreed);
  if (!settled_.wait_for(lock, patience_, [this] { return state_ != State::gathering; })) {
    settle(State::called_off);
  }
  return state_ == State::agreed;
}

void Expiry::settle(State state) {
  state_ = state;
  settled_.notify_all();
}

}  // namespace metricsd::server
