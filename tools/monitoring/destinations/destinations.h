// The destinations there are: the explicit list. Each is made from what the command line says of it.
#pragma once

#include "destination.h"

#include <metricsd/client/collector.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace metricsd::tools {

// Told one line that a person should know at once, from any thread.
using Say = std::function<void(const std::string&)>;

// The gateway that `metrics-run --push` tells: PUT by job, as observations come and at the end.
struct PushOptions {
  std::string url;            // http://HOST[:PORT][/PATH], or "spawn" for one of the run's own
  bool delete_after = false;  // the job's group, once the run has ended
  Say say{};                  // where a gateway was started; the first failure
};

struct MqttOptions {
  std::string url;                         // mqtt://HOST[:PORT] or mqtts://HOST[:PORT]
  std::filesystem::path credentials_file;  // two lines: user, password; empty: none
  std::filesystem::path ca_file;           // of mqtts; empty: the system's
  std::string domain = "default";
  std::string channel = "default";
  std::string topic = "m/{domain}/c/{channel}/metrics/proplet";  // {domain}, {channel}, {node}, {task}
  Say say{};                                                     // the first failure
};

// The daemon, over the socket of `run`, which outlives it: metric families and task samples. The names of the
// families begin with `metric_namespace`, which is the daemon's `--metrics.namespace`; the gateway's
// likewise.
[[nodiscard]] std::unique_ptr<Destination> make_daemon_destination(client::Collector& run,
                                                                   const std::string& metric_namespace);

// Nothing where the options can not be right (a URL that is none, a file that can not be read, a gateway that
// can not be started); `why` says it in one line. A peer that does not answer is no such reason.
[[nodiscard]] std::unique_ptr<Destination> make_push_destination(const PushOptions& options,
                                                                 const std::string& metric_namespace,
                                                                 std::string& why);
[[nodiscard]] std::unique_ptr<Destination> make_mqtt_destination(const MqttOptions& options,
                                                                 const std::string& node, std::string& why);

}  // namespace metricsd::tools
