#include "daemon_destination.h"

#include "destinations.h"

#include <exception>

namespace metricsd::tools {

void DaemonDestination::take(const Observation& observation) noexcept try {
  metrics_.tell(observation);
  ++taken_;
} catch (const std::exception&) {
  ++unmade_;
}

std::unique_ptr<Destination> make_daemon_destination(client::Collector& run,
                                                     const std::string& metric_namespace) {
  return std::make_unique<DaemonDestination>(run, metric_namespace);
}

}  // namespace metricsd::tools
