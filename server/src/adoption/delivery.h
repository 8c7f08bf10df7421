// The way of an orphan, from its lock to its end:
//
//   locked -> folded by the shard of its client -> durable -> its run's file completed, where it is ours to
//   write -> marked -> its name removed -> who handed it in answered
//
// At each step it may be given up: then it is left as it lies, refused. What time may mend, as a full disk,
// is tried again.
#pragma once

#include "../ingest/shard.h"
#include "adoption_notes.h"
#include "orphans.h"

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace metricsd::server {

// Whether what went wrong may pass by itself: descriptors that ran out, a full disk. What a segment is, it
// stays.
[[nodiscard]] bool may_pass(const error_code& error);

// The thread that runs `loop`.
class Delivery {
 public:
  // `shards`, `clock`, `orphans` and `notes` outlive it. What shards answer comes over `loop`, which runs
  // nothing any more once this is gone. `directories`: of segments, whose names are removed there. `on_end`
  // is called behind each.
  Delivery(std::shared_ptr<boost::asio::io_context> loop, const std::vector<std::unique_ptr<Shard>>& shards,
           const Clock& clock, std::vector<std::filesystem::path> directories, Orphans& orphans,
           AdoptionNotes& notes, std::function<void()> on_end);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Its client is dead, as far as was seen; its lock has the last word. Nothing while it is put off.
  void deliver(const OrphanPtr& orphan);

  // At the shards.
  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  // More would be in the way of the clients that live.
  [[nodiscard]] bool has_room() const;

 private:
  void fold(const OrphanPtr& orphan, ipc::SegmentReader reader);
  void on_durable(const OrphanPtr& orphan, const FoldOutcome& outcome);
  void finish(const OrphanPtr& orphan);
  void give_up(const OrphanPtr& orphan, const error_code& error);
  void put_off(const OrphanPtr& orphan);
  void end(const OrphanPtr& orphan);
  void remove_names(const Orphan& orphan) const;

  const std::shared_ptr<boost::asio::io_context> loop_;
  const std::vector<std::unique_ptr<Shard>>& shards_;
  const Clock& clock_;
  const std::vector<std::filesystem::path> directories_;
  Orphans& orphans_;
  AdoptionNotes& notes_;
  const std::function<void()> on_end_;
  std::size_t under_way_ = 0;
  std::uint64_t deliveries_ = 0;
};

}  // namespace metricsd::server
