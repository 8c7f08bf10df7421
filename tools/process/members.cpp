#include "members.h"

#include <algorithm>

namespace metricsd::tools {

bool Members::add(Member member) {
  if (members_.size() == kFollowed) return false;
  const std::pair<pid_t, std::size_t> entry{member.pid, members_.size()};
  by_pid_.insert(std::upper_bound(by_pid_.begin(), by_pid_.end(), entry), entry);
  members_.push_back(std::move(member));
  return true;
}

Member* Members::find(pid_t pid) {
  Member* found = find_any(pid);
  return found != nullptr && found->state != Member::State::ended ? found : nullptr;
}

Member* Members::find_any(pid_t pid) {
  const auto found = std::lower_bound(by_pid_.begin(), by_pid_.end(), std::pair<pid_t, std::size_t>{pid, 0});
  return found != by_pid_.end() && found->first == pid ? &members_[found->second] : nullptr;
}

// A parent is older than its child: one that is not has only its pid.
Member* Members::parent_of(const Member& member) {
  Member* parent = find_any(member.parent);
  return parent != nullptr && parent->start_ticks <= member.start_ticks ? parent : nullptr;
}

void Members::inherit() {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->state != Member::State::ended || member->is_final) continue;
    Member* parent = parent_of(*member);
    if (parent != nullptr && !parent->is_alone) parent->account.lend(member->account.debt());
  }
}

void Members::drop_ended() {
  const auto gone =
      std::erase_if(members_, [](const Member& each) { return each.state == Member::State::ended; });
  if (gone == 0) return;
  by_pid_.clear();
  for (std::size_t index = 0; index < members_.size(); ++index)
    by_pid_.emplace_back(members_[index].pid, index);
  std::sort(by_pid_.begin(), by_pid_.end());
}

}  // namespace metricsd::tools
