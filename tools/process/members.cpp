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
  auto entry = std::lower_bound(by_pid_.begin(), by_pid_.end(), std::pair<pid_t, std::size_t>{pid, 0});
  for (; entry != by_pid_.end() && entry->first == pid; ++entry) {
    Member& member = members_[entry->second];
    if (member.state != Member::State::ended) return &member;
  }
  return nullptr;
}

// A parent is older than its child: one that is not has only its pid. Of two with that pid it is the younger
// one.
Member* Members::parent_of(const Member& member) {
  Member* parent = nullptr;
  auto entry =
      std::lower_bound(by_pid_.begin(), by_pid_.end(), std::pair<pid_t, std::size_t>{member.parent, 0});
  for (; entry != by_pid_.end() && entry->first == member.parent; ++entry) {
    Member& other = members_[entry->second];
    const bool is_older = other.start_ticks <= member.start_ticks;
    if (is_older && (parent == nullptr || other.start_ticks > parent->start_ticks)) parent = &other;
  }
  return parent;
}

void Members::inherit() {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->state != Member::State::ended || member->is_final) continue;
    Member* parent = parent_of(*member);
    if (parent != nullptr && !parent->is_alone) {
      parent->account.lend(member->account.debt());
    } else {
      member->is_lost = member->was_read && !member->is_counted_zombie;  // of a zombie all was read
    }
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
