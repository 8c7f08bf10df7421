#include "status_desk.h"

#include <exception>
#include <utility>

namespace metricsd::server {
namespace {

// Long enough that a loop of requests costs little, short enough that a person sees no difference.
constexpr std::int64_t kFreshNs = 200 * kNsPerMs;

}  // namespace

StatusDesk::StatusDesk(std::function<Document()> make, Post post, const Clock& clock)
    : make_(std::move(make)), post_(std::move(post)), clock_(clock), stale_at_ns_(clock.monotonic_ns()) {}

void StatusDesk::ask(Deliver deliver) {
  const std::lock_guard lock(asking_);
  waiting_.push_back(std::move(deliver));
  if (!std::exchange(under_way_, true)) post_job();
}

StatusDesk::Document StatusDesk::recent() {
  const std::lock_guard lock(making_);
  if (clock_.monotonic_ns() >= stale_at_ns_) make_last();
  return last_;
}

void StatusDesk::post_job() {
  post_([this] { serve(); });
}

void StatusDesk::serve() {
  std::vector<Deliver> asked;
  {
    const std::lock_guard lock(asking_);
    asked.swap(waiting_);
  }
  const Document document = renew();
  for (const Deliver& deliver : asked) deliver(document);

  const std::lock_guard lock(asking_);
  under_way_ = !waiting_.empty();
  if (under_way_) post_job();
}

StatusDesk::Document StatusDesk::renew() {
  const std::lock_guard lock(making_);
  make_last();
  return last_;
}

void StatusDesk::make_last() {
  try {
    last_ = make_();
  } catch (const std::exception&) {
    last_ = boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
  }
  stale_at_ns_ = clock_.monotonic_ns() + kFreshNs;
}

}  // namespace metricsd::server
