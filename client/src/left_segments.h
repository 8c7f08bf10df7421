// Segments of this user's processes that are gone, and that a daemon which runs as another user can not open:
// a client that comes later hands them in, an open descriptor each, as metricsctl adopt does.
#pragma once

#include "fork_guard.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace metricsd::client {

// Looks through a directory of segments, once in a process: removes what daemons have adopted and could not
// remove, and says which files nobody has adopted. The segments that this process makes later are never
// opened a second time: its lock would go with that descriptor.
[[nodiscard]] std::vector<std::string> sweep_segments(int directory, const std::string& path);

// Hands them in, one at a time. One thread; never waits.
class LeftSegments {
 public:
  explicit LeftSegments(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  // Goes on, where a daemon adopts: it is behind one of `daemons`.
  void pump(const std::vector<std::filesystem::path>& daemons, uid_t own_uid, std::int64_t now_ns);

 private:
  [[nodiscard]] bool is_under_way() const { return connection_.valid(); }
  void begin(const std::vector<std::filesystem::path>& daemons, uid_t own_uid, std::int64_t now_ns);
  [[nodiscard]] bool send();
  void receive(std::int64_t now_ns);
  void handle(const std::string& error, std::int64_t now_ns);
  void end();

  std::vector<std::string> paths_;  // the last is next
  std::int64_t next_ns_ = 0;
  std::int64_t deadline_ns_ = 0;
  UniqueFd segment_;
  UniqueFd connection_;
  std::optional<fork_guard::ClosedInChild> segment_closed_in_child_;
  std::optional<fork_guard::ClosedInChild> connection_closed_in_child_;
  std::unique_ptr<ipc::Decoder> answers_;
};

}  // namespace metricsd::client
