// The segments of dead clients that a shard folds, each a bounded amount at a time, so that its sessions have
// their turns between; and those that are folded, until that is durable.
#pragma once

#include "../adoption/fold_outcome.h"
#include "../adoption/prepared_segment.h"
#include "../aggregator.h"

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace metricsd::server {

// The shard's thread.
class Foldings {
 public:
  // `loop` and `aggregator` outlive it. `hasten_checkpoint`: null where what is folded is as durable as it
  // will be.
  Foldings(boost::asio::io_context& loop, Aggregator& aggregator, std::function<void()> hasten_checkpoint);
  Foldings(const Foldings&) = delete;
  Foldings& operator=(const Foldings&) = delete;
  ~Foldings();

  // The connection, or folding, that the client had is closed already. `id` is unique over all connections.
  // `done` is called once that is durable, or with an error before.
  void begin(std::shared_ptr<const PreparedSegment> segment, Gauge::Owner id, const FoldDone& done);
  // Its client spoke again. False where none has this id.
  bool close(Gauge::Owner id);

  // What is folded by now is in the checkpoint that is about to be written.
  void note_cut();
  // What was cut last is durable.
  void settle();

 private:
  struct Folding;
  struct Folded {
    FoldDone done;
    FoldOutcome outcome;
  };

  void go_on_soon(Gauge::Owner id);
  void go_on(Gauge::Owner id);
  void end(Gauge::Owner id, const FoldOutcome& outcome);

  boost::asio::io_context& loop_;
  Aggregator& aggregator_;
  const std::function<void()> hasten_checkpoint_;
  std::map<Gauge::Owner, std::unique_ptr<Folding>> foldings_;
  std::vector<Folded> folded_;          // since the last cut
  std::vector<Folded> folded_and_cut_;  // and not known to be durable
};

}  // namespace metricsd::server
