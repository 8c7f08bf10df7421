// What of metrics and tasks no daemon took, in words: these are for a daemon alone and in no file of the run.
#pragma once

#include "metrics/metric_teller.h"
#include "sender.h"
#include "task_samples.h"

#include <string>
#include <vector>

namespace metricsd::client {

// After the sender's finish(). For a person, a line each.
[[nodiscard]] std::vector<std::string> warnings_of_samples(const Sender& sender, const MetricTeller& metrics,
                                                           const TaskSamples& tasks);

}  // namespace metricsd::client
