#include "task_samples.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/run.h>
#include <metricsd/models/text.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace metricsd::client {
namespace {

// As the daemon takes it; nothing for what is none.
std::optional<std::string> object_text(std::string_view json) {
  auto text = compact_object(json);
  if (text && text->empty()) text = "{}";
  if (text && text->size() > limits::kTaskObject) return std::nullopt;
  return text;
}

std::optional<ipc::TaskSampleMessage> message_of(const TaskSample& sample) {
  const auto is_text = [](std::string_view text) { return is_clean(text, limits::kTaskText); };
  const bool has_names =
      !sample.task_id.empty() && is_text(sample.task_id) && is_text(sample.role) && is_text(sample.node);
  const bool has_numbers = sample.pid <= limits::kWhole && sample.history_size <= limits::kTaskHistory &&
                           sample.interval >= 0 && sample.interval <= limits::kTaskIntervalSeconds;
  if (!has_names || !has_numbers) return std::nullopt;
  auto metrics = object_text(sample.metrics);
  auto aggregated = sample.aggregated.empty() ? std::string() : object_text(sample.aggregated);
  if (!metrics || !aggregated) return std::nullopt;
  return ipc::TaskSampleMessage{.task_id = std::string(sample.task_id),
                                .node = std::string(sample.node),
                                .role = std::string(sample.role),
                                .pid = sample.pid,
                                .history_size = sample.history_size,
                                .interval = sample.interval,
                                .metrics = *std::move(metrics),
                                .aggregated = *std::move(aggregated)};
}

}  // namespace

TaskSamples::TaskSamples() : sender_id_(random_id()) {}

void TaskSamples::push(const TaskSample& sample) noexcept {
  try {
    if (auto message = message_of(sample)) return push_message(*std::move(message));
    const std::scoped_lock lock(mutex_);
    ++lost_.refused;
  } catch (const std::exception&) {
    const std::scoped_lock lock(mutex_);
    ++lost_.untaken;
  }
}

// Numbered as they are queued.
void TaskSamples::push_message(ipc::TaskSampleMessage message) {
  std::string line;
  const std::scoped_lock lock(mutex_);
  message.origin = {.sender_id = sender_id_, .number = last_number_ + 1};
  ipc::encode(line, message);
  const std::size_t size = line.size();
  lines_.push_back(std::move(line));
  bytes_ += size;
  ++last_number_;
  while (bytes_ > kBytes) drop_oldest();
}

void TaskSamples::drop_oldest() {
  if (written_ == 0) ++lost_.untaken;
  bytes_ -= lines_.front().size();
  lines_.pop_front();
  taken_ -= std::min<std::size_t>(taken_, 1);
  written_ -= std::min<std::size_t>(written_, 1);
}

void TaskSamples::take(std::string& lines, std::size_t about) {
  const std::scoped_lock lock(mutex_);
  for (; taken_ < lines_.size() && lines.size() < about; ++taken_) lines += lines_[taken_];
}

void TaskSamples::note_written() {
  const std::scoped_lock lock(mutex_);
  written_ = std::max(written_, taken_);
}

void TaskSamples::begin_connection() {
  const std::scoped_lock lock(mutex_);
  taken_ = 0;
}

bool TaskSamples::all_taken() const {
  const std::scoped_lock lock(mutex_);
  return taken_ == lines_.size();
}

void TaskSamples::drop_all() {
  const std::scoped_lock lock(mutex_);
  while (!lines_.empty()) drop_oldest();
}

TaskSamples::Lost TaskSamples::lost() const {
  const std::scoped_lock lock(mutex_);
  return lost_;
}

}  // namespace metricsd::client
