// The processes that are followed, parents before their children.
#pragma once

#include "member.h"

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace metricsd::tools {

// As many as a usual machine has pids twice over; a member takes some 400 bytes.
inline constexpr std::size_t kFollowed = 65'536;

// One thread. References are valid until the next add() or drop_ended().
class Members {
 public:
  // Nothing but ended ones may have this pid. False where there are kFollowed of them.
  bool add(Member member);
  // The one that has not ended; null where none has this pid.
  [[nodiscard]] Member* find(pid_t pid);

  // What was counted of those that have ended is lent to those who may have waited for them, down from the
  // youngest. Where there is nobody like that, what a process did last is lost.
  void inherit();
  void drop_ended();

  [[nodiscard]] auto begin() { return members_.begin(); }
  [[nodiscard]] auto end() { return members_.end(); }
  [[nodiscard]] auto begin() const { return members_.begin(); }
  [[nodiscard]] auto end() const { return members_.end(); }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] Member& operator[](std::size_t index) { return members_[index]; }

 private:
  Member* parent_of(const Member& member);

  std::vector<Member> members_;
  std::vector<std::pair<pid_t, std::size_t>> by_pid_;  // sorted
};

}  // namespace metricsd::tools
