#include "foldings.h"

#include "../adoption/segment_fold.h"

#include <metricsd/models/errors.h>

#include <iterator>
#include <utility>

#include <boost/asio/post.hpp>

namespace metricsd::server {

// How far one is folded.
struct Foldings::Folding {
  Folding(Aggregator& aggregator, std::shared_ptr<const PreparedSegment> prepared, Gauge::Owner id,
          FoldDone to_call)
      : segment(std::move(prepared)), fold(aggregator, *segment, id), done(std::move(to_call)) {}

  const std::shared_ptr<const PreparedSegment> segment;
  SegmentFold fold;
  FoldDone done;
};

Foldings::Foldings(boost::asio::io_context& loop, Aggregator& aggregator,
                   std::function<void()> hasten_checkpoint)
    : loop_(loop), aggregator_(aggregator), hasten_checkpoint_(std::move(hasten_checkpoint)) {}

Foldings::~Foldings() = default;

void Foldings::begin(std::shared_ptr<const PreparedSegment> segment, Gauge::Owner id, const FoldDone& done) {
  auto folding = std::make_unique<Folding>(aggregator_, std::move(segment), id, done);
  const auto begun = folding->fold.begin();
  foldings_.emplace(id, std::move(folding));
  if (!begun) return end(id, begun.error());
  go_on_soon(id);
}

bool Foldings::close(Gauge::Owner id) {
  if (!foldings_.contains(id)) return false;
  end(id, Errc::unexpected_message);
  return true;
}

void Foldings::go_on_soon(Gauge::Owner id) {
  boost::asio::post(loop_, [this, id] { go_on(id); });
}

void Foldings::go_on(Gauge::Owner id) {
  const auto found = foldings_.find(id);
  if (found == foldings_.end()) return;
  const Result<bool> more = found->second->fold.turn();
  if (!more) return end(id, more.error());
  if (!*more) return end(id, found->second->fold.records());
  go_on_soon(id);
}

void Foldings::end(Gauge::Owner id, const FoldOutcome& outcome) {
  const auto folding = std::move(foldings_.at(id));
  foldings_.erase(id);
  folding->fold.end();
  if (!outcome || !hasten_checkpoint_) return folding->done(outcome);
  folded_.push_back({std::move(folding->done), outcome});
  hasten_checkpoint_();
}

void Foldings::note_cut() {
  std::move(folded_.begin(), folded_.end(), std::back_inserter(folded_and_cut_));
  folded_.clear();
}

void Foldings::settle() {
  for (const Folded& each : std::exchange(folded_and_cut_, {})) each.done(each.outcome);
}

}  // namespace metricsd::server
