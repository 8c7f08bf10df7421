// Where the status is asked for: however many ask, one document is made at a time, and it answers everyone
// who waits. So a crowd that asks in a loop costs no more than one who does, and keeps nobody from a scrape.
#pragma once

#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace metricsd::server {

// Any thread.
class StatusDesk {
 public:
  using Document = Result<std::string>;
  using Deliver = std::function<void(const Document&)>;
  // Runs a job sometime, not within the call.
  using Post = std::function<void(std::function<void()>)>;

  // Everything given outlives the desk, and so do the jobs it posts: they refer to it.
  StatusDesk(std::function<Document()> make, Post post, const Clock& clock);

  // Calls `deliver` in a posted job with a document that was begun after this call: it knows of all that the
  // caller has done.
  void ask(Deliver deliver);
  // At once, and up to 200 ms old: for who may not wait in line. Blocks while one is being made.
  [[nodiscard]] Document recent();

 private:
  void post_job();
  void serve();
  Document renew();
  void make_last();

  const std::function<Document()> make_;
  const Post post_;
  const Clock& clock_;

  std::mutex asking_;
  std::vector<Deliver> waiting_;
  bool under_way_ = false;  // a job is posted or runs

  std::mutex making_;
  Document last_{std::string()};
  std::int64_t stale_at_ns_;
};

}  // namespace metricsd::server
