// Where requests are answered. What costs next to nothing is answered at once; for the rest, requests that
// must get the same answer wait together, and one rendering serves them all. So a crowd that asks for a large
// scrape again and again, or never reads it, costs others no more than one who does. Questions of which a
// client can think of any number, such as for a run, are answered one after the other: however many are
// asked, a scrape waits for one of them at most.
#pragma once

#include "request_reader.h"
#include "router.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace metricsd::server::http {

// The bytes of a response, shared by all who get it.
using Answer = std::shared_ptr<const std::string>;

// Any thread.
class AnswerDesk {
 public:
  using Deliver = std::function<void(const Answer&)>;
  // Runs a job sometime, on any thread, not within the call.
  using Post = std::function<void(std::function<void()>)>;

  // `router` outlives the desk, and the desk the jobs it posts.
  AnswerDesk(const Router& router, Post post) : router_(router), post_(std::move(post)) {}

  // Calls `deliver` once: within the call for a cheap route, else from a job, with an answer begun after this
  // call.
  void ask(const Request& request, Deliver deliver);

 private:
  void answer(const std::string& key, const Request& request);
  void answer_next_of_many();

  const Router& router_;
  const Post post_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Deliver>> waiting_;      // by what tells answers apart
  std::deque<std::pair<std::string, Request>> one_of_many_;  // the first is under way
};

}  // namespace metricsd::server::http
