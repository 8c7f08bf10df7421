// How a Pushgateway names a job in a path (github.com/prometheus/pushgateway, "URL").
#pragma once

#include <string>
#include <string_view>

namespace metricsd::tools {

// `<base>/metrics/job/<job>`, escaped; `/metrics/job@base64/<job>` for a job's name that a path can not hold:
// with a slash in it, or of dots alone. `base` is a URL's path, `job` is not empty.
[[nodiscard]] std::string gateway_path(std::string_view base, std::string_view job);

}  // namespace metricsd::tools
