#include "task.h"

#include <algorithm>

namespace metricsd::server {

void TaskRole::take(const ipc::TaskSampleMessage& sample, const Moment& now) {
  node_ = sample.node;
  pid_ = sample.pid;
  history_size_ = sample.history_size;
  interval_ = sample.interval;
  told_ = now;
  if (sample.origin) origin_ = *sample.origin;
  if (!sample.aggregated.empty()) set_aggregated(sample.aggregated);
  add(sample.metrics);
  ++taken_;
  keep(std::max<std::size_t>(history_size_, 1));
  has_changed_ = true;
}

bool TaskRole::has_taken(const ipc::TaskSampleMessage& sample) const {
  return sample.origin && sample.origin->sender_id == origin_.sender_id &&
         sample.origin->number <= origin_.number;
}

bool TaskRole::drop_oldest() {
  if (samples_.size() < 2) return false;
  keep(samples_.size() - 1);
  has_changed_ = true;
  return true;
}

TaskRole TaskRole::taken_over_as(std::uint64_t number) const {
  TaskRole copy = *this;
  copy.number_ = number;
  copy.saved_ = 0;
  copy.has_changed_ = true;
  return copy;
}

std::size_t TaskRole::kept() const {
  return std::min<std::size_t>(samples_.size(), history_size_);
}

std::vector<std::string> TaskRole::page(std::uint64_t offset, std::uint64_t limit) const {
  std::vector<std::string> page;
  const std::size_t kept = this->kept();
  const std::size_t from = std::min<std::uint64_t>(offset, kept);
  const std::size_t size = std::min<std::uint64_t>(limit, kept - from);
  page.reserve(size);
  for (std::size_t i = 0; i < size; ++i) page.push_back(samples_[samples_.size() - 1 - from - i]);
  return page;
}

void TaskRole::add(std::string_view sample) {
  samples_.emplace_back(sample);
  bytes_ += kSampleBytes + sample.size();
}

void TaskRole::keep(std::size_t most) {
  while (samples_.size() > most) {
    bytes_ -= kSampleBytes + samples_.front().size();
    samples_.pop_front();
  }
}

void TaskRole::set_aggregated(std::string_view text) {
  bytes_ = bytes_ - aggregated_.size() + text.size();
  aggregated_ = text;
}

}  // namespace metricsd::server
