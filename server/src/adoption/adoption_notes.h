// What adoption says of segments: its figures, its lines in the log, and which names it leaves as they lie.
#pragma once

#include "../line_budget.h"
#include "../log.h"
#include "adoption_figures.h"
#include "orphans.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace metricsd::server {

// One thread, but for published().
class AdoptionNotes {
 public:
  // `clock` outlives it.
  AdoptionNotes(const Clock& clock, Logger logger);

  // All that it held is durable here, and its segment marked, if `marked` is no error. Each is counted once,
  // however often it comes.
  void delivered(Orphan& orphan, const error_code& marked);
  // Not delivered for now.
  void put_off(uid_t uid, const std::string& name, const error_code& error) {
    pass_over(uid, name, "for now: " + error.message());
  }
  // Not adopted: it contradicts itself, or is not what it should be.
  void refuse(uid_t uid, const std::string& name, const error_code& error);
  // A name in the directory of segments: once, then it is left.
  void refuse_name(const std::string& name, const error_code& error);
  // Of a living client, and not kept, or no more, for want of room.
  void not_kept(uid_t uid, const std::string& name);
  // Neither refused nor kept.
  void pass_over(uid_t uid, const std::string& name, std::string_view why);

  // Is not looked at again.
  void leave(const std::string& name);
  [[nodiscard]] bool is_left(const std::string& name) const { return left_.contains(name); }

  // Shows the figures, with so many segments that are kept.
  void publish(std::size_t kept);
  // Any thread: the figures as they were shown last.
  [[nodiscard]] AdoptionFigures published() const;

 private:
  const Clock& clock_;
  Logger logger_;
  LineBudget budget_;
  std::set<std::string> left_;
  AdoptionFigures figures_;

  mutable std::mutex published_mutex_;
  AdoptionFigures published_;  // guarded by published_mutex_
};

}  // namespace metricsd::server
