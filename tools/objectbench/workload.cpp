#include "workload.h"

#include <utility>

namespace metricsd::tools {

Workload::Workload(const Mix& mix, SizeRange size, std::size_t objects, std::string key_prefix,
                   std::uint64_t seed)
    : mix_(mix), size_(size), key_prefix_(std::move(key_prefix)), objects_(objects), random_(seed) {}

Workload::Step Workload::next() {
  const Action action = choose_action();
  if (action == Action::upload || existing_.empty()) {
    return {Action::upload, below(objects_.size()),
            std::uniform_int_distribution<std::uint64_t>(size_.min, size_.max)(random_)};
  }
  const std::size_t object = existing_[below(existing_.size())];
  return {action, object, objects_[object].size_bytes};
}

void Workload::exists(std::size_t object, std::uint64_t size_bytes) {
  Object& known = objects_[object];
  known.size_bytes = size_bytes;
  if (known.position != kAbsent) return;
  known.position = existing_.size();
  existing_.push_back(object);
}

void Workload::gone(std::size_t object) {
  Object& known = objects_[object];
  if (known.position == kAbsent) return;
  const std::size_t last = existing_.back();
  existing_[known.position] = last;
  objects_[last].position = known.position;
  existing_.pop_back();
  known.position = kAbsent;
}

std::string Workload::key(std::size_t object) const {
  return key_prefix_ + std::to_string(object);
}

Action Workload::choose_action() {
  const std::size_t pick = below(std::size_t{mix_.upload} + mix_.download + mix_.remove);
  if (pick < mix_.upload) return Action::upload;
  return pick < std::size_t{mix_.upload} + mix_.download ? Action::download : Action::remove;
}

std::size_t Workload::below(std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
}

}  // namespace metricsd::tools
