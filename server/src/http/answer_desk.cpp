#include "answer_desk.h"

#include <utility>

namespace metricsd::server::http {

void AnswerDesk::ask(const Request& request, Deliver deliver) {
  const auto question = router_.shared_question(request);
  if (!question) {
    deliver(std::make_shared<const std::string>(router_.respond(request)));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    auto& together = waiting_[question->key];
    together.push_back(std::move(deliver));
    if (together.size() > 1) return;  // the first of them has posted the job
    if (question->is_one_of_many) {
      one_of_many_.emplace_back(question->key, request);
      if (one_of_many_.size() > 1) return;  // its turn comes
    }
  }
  if (question->is_one_of_many) {
    post_([this] { answer_next_of_many(); });
  } else {
    post_([this, key = question->key, request] { answer(key, request); });
  }
}

void AnswerDesk::answer_next_of_many() {
  std::pair<std::string, Request> next;
  {
    const std::lock_guard lock(mutex_);
    next = one_of_many_.front();
  }
  answer(next.first, next.second);
  {
    const std::lock_guard lock(mutex_);
    one_of_many_.pop_front();
    if (one_of_many_.empty()) return;
  }
  post_([this] { answer_next_of_many(); });  // behind what was asked meanwhile
}

void AnswerDesk::answer(const std::string& key, const Request& request) {
  std::vector<Deliver> together;
  {
    const std::lock_guard lock(mutex_);
    together = std::move(waiting_.extract(key).mapped());
  }
  const auto response = std::make_shared<const std::string>(router_.respond(request));
  for (const Deliver& deliver : together) deliver(response);
}

}  // namespace metricsd::server::http
