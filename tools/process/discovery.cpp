#include "discovery.h"

#include "pid_path.h"
#include "pid_stat.h"

#include <metricsd/models/timestamp.h>

#include <algorithm>

namespace metricsd::tools {

namespace {

constexpr std::int64_t kStrangerTrustedNs = 10 * kNsPerSecond;

// In a vector that is sorted by pid.
template <class T>
auto find_pid(const std::vector<T>& sorted, pid_t pid) -> const T* {
  const auto place = std::lower_bound(sorted.begin(), sorted.end(), pid,
                                      [](const T& each, pid_t wanted) { return each.pid < wanted; });
  return place != sorted.end() && place->pid == pid ? &*place : nullptr;
}

}  // namespace

Discovery::Discovery(KernelFiles& proc, Members& members, CollectionFaults& faults)
    : proc_(proc), members_(members), faults_(faults), listing_(proc.directory()) {}

void Discovery::adopt_children_of(pid_t subreaper) {
  subreapers_.push_back(subreaper);
  forget_strangers();
}

void Discovery::run(std::int64_t now_ns) {
  read_newcomers(now_ns);
  while (judge_all()) {
  }
  keep_strangers(now_ns);
}

void Discovery::read_newcomers(std::int64_t now_ns) {
  kept_.clear();
  candidates_.clear();
  auto known = strangers_.cbegin();
  for (const pid_t pid : listing_.read()) {
    while (known != strangers_.cend() && known->pid < pid) ++known;
    const bool is_known = known != strangers_.cend() && known->pid == pid;
    if (is_known && now_ns - known->checked_ns < kStrangerTrustedNs) {
      kept_.push_back(*known);
    } else if (members_.find(pid) == nullptr) {
      read_newcomer(pid, is_known ? &*known : nullptr, now_ns);
    }
  }
}

void Discovery::read_newcomer(pid_t pid, const Stranger* known, std::int64_t now_ns) {
  const auto text = proc_.read(PidPath(pid, "stat").c_str());
  if (!text) {
    ++faults_.gone;
    return;
  }
  const auto stat = decode_pid_stat(*text);
  if (!stat) {
    ++faults_.malformed;
  } else if (known != nullptr && known->start_ticks == stat->start_ticks) {
    kept_.push_back({pid, stat->start_ticks, now_ns});
  } else {
    candidates_.push_back({pid, stat->parent, stat->start_ticks});
  }
}

// Whether anything is known now that was not before.
bool Discovery::judge_all() {
  bool is_news = false;
  for (Candidate& candidate : candidates_) {
    if (candidate.standing != Standing::unknown) continue;
    candidate.standing = judge(candidate);
    if (candidate.standing == Standing::member && !add(candidate)) candidate.standing = Standing::stranger;
    is_news |= candidate.standing != Standing::unknown;
  }
  return is_news;
}

Discovery::Standing Discovery::judge(const Candidate& candidate) {
  if (std::find(subreapers_.begin(), subreapers_.end(), candidate.parent) != subreapers_.end()) {
    return Standing::member;
  }
  if (const Member* parent = members_.find(candidate.parent)) {
    // A parent that is younger than its child has only its pid.
    if (parent->start_ticks > candidate.start_ticks) return Standing::unknown;
    return parent->is_alone ? Standing::stranger : Standing::member;
  }
  return candidate.parent == 0 || is_stranger(candidate.parent) ? Standing::stranger : Standing::unknown;
}

bool Discovery::is_stranger(pid_t pid) const {
  if (find_pid(kept_, pid) != nullptr) return true;
  const Candidate* candidate = find_pid(candidates_, pid);
  return candidate != nullptr && candidate->standing == Standing::stranger;
}

bool Discovery::add(const Candidate& candidate) {
  Member member;
  member.pid = candidate.pid;
  member.parent = candidate.parent;
  member.start_ticks = candidate.start_ticks;
  if (const Member* parent = members_.find(candidate.parent)) {
    member.counts_from_ticks = parent->counts_from_ticks;
  }
  if (members_.add(std::move(member))) return true;
  ++faults_.unfollowed;
  return false;
}

void Discovery::keep_strangers(std::int64_t now_ns) {
  for (const Candidate& candidate : candidates_) {
    if (candidate.standing != Standing::stranger) continue;
    kept_.push_back({candidate.pid, candidate.start_ticks, now_ns});
  }
  const auto by_pid = [](const Stranger& a, const Stranger& b) { return a.pid < b.pid; };
  if (!candidates_.empty()) std::sort(kept_.begin(), kept_.end(), by_pid);
  strangers_.swap(kept_);
}

}  // namespace metricsd::tools
