// Over the segments of clients that live: until their death, which their pidfd tells or their lock coming
// free, or until they need it no more. A pid alone never tells it: whose lock is held is alive.
#pragma once

#include "adoption_notes.h"
#include "delivery.h"
#include "orphans.h"

#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <string>

#include <boost/asio/io_context.hpp>
#include <sys/types.h>

namespace metricsd::server {

// The loop's thread.
class SegmentWatch {
 public:
  // All of them outlive it. `most_kept`: segments, at two descriptors each.
  SegmentWatch(boost::asio::io_context& loop, std::size_t most_kept, Orphans& orphans, Delivery& delivery,
               AdoptionNotes& notes);
  SegmentWatch(const SegmentWatch&) = delete;
  SegmentWatch& operator=(const SegmentWatch&) = delete;

  // That of a client whose hello it came with. Where there is no more room the user that has the most gives
  // its oldest.
  void keep(uid_t uid, pid_t pid, const std::string& client_id, UniqueFd segment);
  // That client has said that nothing is left.
  void let_go(uid_t uid, const std::string& client_id);
  // At the locks of those whose pid says nothing, or `at_all`: a process may give its segment up while it
  // lives.
  void look(bool at_all);

 private:
  bool make_room(uid_t uid);
  void watch(const OrphanPtr& orphan);
  void on_death(const OrphanPtr& orphan);

  boost::asio::io_context& loop_;
  const std::size_t most_kept_;
  Orphans& orphans_;
  Delivery& delivery_;
  AdoptionNotes& notes_;
};

}  // namespace metricsd::server
