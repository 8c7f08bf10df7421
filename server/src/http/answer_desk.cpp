#include "answer_desk.h"

#include <utility>

namespace metricsd::server::http {

void AnswerDesk::ask(const Request& request, Deliver deliver) {
  const auto key = router_.shared_key(request);
  if (!key) {
    deliver(std::make_shared<const std::string>(router_.respond(request)));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    auto& together = waiting_[*key];
    together.push_back(std::move(deliver));
    if (together.size() > 1) return;  // the first of them has posted the job
  }
  post_([this, key = *key, request] { answer(key, request); });
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
