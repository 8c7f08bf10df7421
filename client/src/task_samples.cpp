#include "task_samples.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/text.h>

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

void TaskSamples::push(const TaskSample& sample) noexcept {
  try {
    std::string line;
    if (const auto message = message_of(sample)) ipc::encode(line, *message);
    push_line(std::move(line));
  } catch (const std::exception&) {
    const std::scoped_lock lock(mutex_);
    ++lost_.untaken;
  }
}

void TaskSamples::push_line(std::string line) {
  const std::scoped_lock lock(mutex_);
  if (line.empty()) {
    ++lost_.refused;
    return;
  }
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  while (bytes_ > kBytes) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
    ++lost_.untaken;
  }
}

void TaskSamples::take(std::string& lines, std::size_t about) {
  const std::scoped_lock lock(mutex_);
  while (!lines_.empty() && lines.size() < about) {
    lines += lines_.front();
    bytes_ -= lines_.front().size();
    lines_.pop_front();
  }
}

bool TaskSamples::empty() const {
  const std::scoped_lock lock(mutex_);
  return lines_.empty();
}

void TaskSamples::drop_all() {
  const std::scoped_lock lock(mutex_);
  lost_.untaken += lines_.size();
  lines_.clear();
  bytes_ = 0;
}

TaskSamples::Lost TaskSamples::lost() const {
  const std::scoped_lock lock(mutex_);
  return lost_;
}

}  // namespace metricsd::client
