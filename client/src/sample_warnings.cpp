#include "sample_warnings.h"

#include <cstdint>

namespace metricsd::client {
namespace {

std::string all_of(const std::vector<std::filesystem::path>& paths) {
  std::string text;
  for (const std::filesystem::path& path : paths) text += (text.empty() ? "" : " or ") + path.string();
  return text;
}

}  // namespace

std::vector<std::string> warnings_of_samples(const Sender& sender, const MetricTeller& metrics,
                                             const TaskSamples& tasks) {
  std::vector<std::string> lines;
  const std::uint64_t of_metrics = metrics.lost();
  const TaskSamples::Lost of_tasks = tasks.lost();
  const auto say = [&lines](std::uint64_t count, const std::string& text) {
    if (count > 0) lines.push_back(std::to_string(count) + text);
  };
  say(of_tasks.refused, " samples of tasks break a rule of TaskSample: they were not sent");
  if (sender.has_met_daemon()) {
    say(of_metrics,
        " samples of metrics did not reach the daemon, as far as is known: what they say is lost");
    say(of_tasks.untaken, " samples of tasks were dropped: the daemon did not take them in time");
  } else {
    say(of_metrics + of_tasks.untaken,
        " samples went nowhere: no daemon took them at " + all_of(sender.paths()));
  }
  return lines;
}

}  // namespace metricsd::client
