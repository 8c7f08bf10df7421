#include "tree_sampler.h"

#include "boot_time.h"
#include "discovery.h"
#include "kernel_files.h"
#include "kernel_units.h"
#include "members.h"
#include "memory_base.h"
#include "network_namespaces.h"
#include "pid_path.h"
#include "process_reader.h"
#include "role_book.h"
#include "tree_summary.h"
#include "trusted.h"

#include <metricsd/models/text.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace metricsd::tools {

namespace {

Cost cost_of(const rusage& usage) {
  const auto ns = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond +
           static_cast<std::uint64_t>(time.tv_usec) * 1000;
  };
  return {.user_ns = ns(usage.ru_utime),
          .system_ns = ns(usage.ru_stime),
          .read_bytes = static_cast<std::uint64_t>(usage.ru_inblock) * kBlockBytes,
          .write_bytes = static_cast<std::uint64_t>(usage.ru_oublock) * kBlockBytes};
}

}  // namespace

class TreeSampler::Impl {
 public:
  Impl(const Roots& roots, RoleRules rules, Collect collect, const Clock& clock)
      : clock_(clock),
        rules_(std::move(rules)),
        collect_(collect),
        proc_(roots.proc),
        reader_(proc_, collect, sample_.faults),
        discovery_(proc_, members_, sample_.faults),
        memory_(roots) {
    boot_time_.read(proc_, clock.now());
  }

  void began(std::int64_t at_ns) {
    began_ns_ = at_ns;
    share_.emplace(CpuReading{at_ns, 0});
  }
  bool follow(pid_t root, Scope scope) { return add(root, scope, false); }
  bool attach(pid_t root) { return add(root, Scope::tree, true); }
  void follow_orphans_of(pid_t subreaper);
  void reaped(pid_t pid, const rusage& usage);
  [[nodiscard]] bool is_alive() const;
  const TreeSample& sample();

 private:
  std::optional<PidStat> stat_of(pid_t pid);
  bool add(pid_t root, Scope scope, bool was_there);
  void wait_for_images();
  void read_first(Member& member, bool had_disk, bool is_new);
  void read_from(std::size_t first, std::int64_t now_ns);
  void settle_from(std::size_t first);
  void name(Member& member);
  void read_processes(std::int64_t now_ns);
  void read_networks();
  void refresh_memory(std::int64_t now_ns);

  const Clock& clock_;
  RoleRules rules_;
  Collect collect_;
  TreeSample sample_;
  KernelFiles proc_;
  Members members_;
  ProcessReader reader_;
  Discovery discovery_;
  NetworkNamespaces networks_;
  MemoryBase memory_;
  RoleBook roles_;
  BootTime boot_time_;
  std::optional<std::int64_t> memory_read_ns_;
  std::optional<std::int64_t> began_ns_;
  std::optional<CpuShare> share_;
  std::optional<Start> start_;  // of the process that began first
  bool is_first_ = true;        // the next sample
  bool has_trees_ = false;
};

std::optional<PidStat> TreeSampler::Impl::stat_of(pid_t pid) {
  const auto text = proc_.read(PidPath(pid, "stat").c_str());
  return text ? decode_pid_stat(*text) : std::nullopt;
}

bool TreeSampler::Impl::add(pid_t root, Scope scope, bool was_there) {
  const auto stat = stat_of(root);
  if (!stat) return false;
  Member* known = members_.find(root);
  const bool is_known = known != nullptr && known->start_ticks == stat->start_ticks;
  if (is_known && (!known->is_alone || scope == Scope::process)) return true;
  if (scope == Scope::tree) {
    has_trees_ = true;
    discovery_.forget_strangers();
  }
  if (is_known) {
    known->is_alone = false;
    return true;
  }
  if (known != nullptr) known->state = Member::State::ended;  // its pid has become another process
  if (const auto network = NetworkNamespaces::of(proc_, root)) networks_.note_existing(*network);
  Member member;
  member.pid = root;
  member.start_ticks = stat->start_ticks;
  member.is_alone = scope == Scope::process;
  if (was_there) {
    boot_time_.read(proc_, clock_.now());
    member.counts_from_ticks = std::max(boot_time_.now().ticks, stat->start_ticks + 1);
  }
  assign_clean(member.comm, stat->comm, kComm);
  return members_.add(std::move(member));
}

void TreeSampler::Impl::follow_orphans_of(pid_t subreaper) {
  has_trees_ = true;
  discovery_.adopt_children_of(subreaper);
}

void TreeSampler::Impl::reaped(pid_t pid, const rusage& usage) {
  const Cost cost = cost_of(usage);
  if (Member* member = members_.find(pid)) {
    if (!member->was_read) name(*member);
    member->account.read_final(cost);
    member->is_final = true;
    member->has_disk = true;
    member->state = Member::State::ended;
    return;
  }
  // Nobody saw it: without a rule for its pid it goes to the role of the first one that was followed.
  const std::string_view by_rule = rules_.find(pid, {}, {});
  const bool is_first = by_rule.empty() && !roles_.empty();
  RoleBook::Role& role = roles_[is_first ? 0 : roles_.find(by_rule, boot_time_.now())];
  role.cost += cost;
  role.has_disk = true;
}

bool TreeSampler::Impl::is_alive() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& each) { return each.state == Member::State::living; });
}

void TreeSampler::Impl::read_from(std::size_t first, std::int64_t now_ns) {
  for (std::size_t index = first; index < members_.size(); ++index) {
    Member& member = members_[index];
    if (member.state == Member::State::ended) continue;
    const bool is_new = !member.was_read;
    const bool had_disk = member.has_disk;
    if (reader_.read(member, now_ns)) name(member);
    if (member.was_there()) read_first(member, had_disk, is_new);
    if (is_new && member.state == Member::State::ended) ++sample_.faults.gone;
  }
}

// Of one that was there before: what was read for the first time is what it had done until then.
void TreeSampler::Impl::read_first(Member& member, bool had_disk, bool is_new) {
  if (is_new && member.was_read) {
    member.account.begin();
  } else if (!had_disk && member.has_disk) {
    member.account.begin_storage();
  }
}

// Where a process is new, or has become another command.
void TreeSampler::Impl::name(Member& member) {
  const Start start = boot_time_.start_of(member.start_ticks);
  if (!start_ || start.ticks < start_->ticks) start_ = start;
  if (member.start_time_seconds == 0) member.start_time_seconds = start.seconds;
  std::string_view command_line;
  if (rules_.has_patterns()) {
    const auto text = proc_.read_beginning(PidPath(member.pid, "cmdline").c_str());
    if (text) command_line = *text;
  }
  const std::string_view role = rules_.find(member.pid, member.comm, command_line);
  member.role = roles_.find(role.empty() ? member.comm : role, start);
}

void TreeSampler::Impl::settle_from(std::size_t first) {
  for (std::size_t index = first; index < members_.size(); ++index) {
    Member& member = members_[index];
    if (!member.was_read && !member.is_final) continue;
    RoleBook::Role& role = roles_[member.role];
    role.cost += member.account.settle();
    role.has_disk |= member.has_disk;
    role.is_short |= member.is_lost;
    if (member.is_lost) ++sample_.faults.lost;
  }
}

void TreeSampler::Impl::read_networks() {
  for (Member& member : members_) {
    if (member.state != Member::State::living || !member.network) continue;
    if (networks_.enter(proc_, *member.network, member.pid)) continue;
    const auto other = NetworkNamespaces::of(proc_, member.pid);
    if (!other) continue;
    member.network = *other;
    networks_.enter(proc_, *other, member.pid);
  }
  if (!networks_.finish(proc_)) ++sample_.faults.malformed;
}

void TreeSampler::Impl::refresh_memory(std::int64_t now_ns) {
  if (memory_read_ns_ && now_ns - *memory_read_ns_ < kTrustedNs) return;
  for (const Member& member : members_) {
    if (member.state != Member::State::living) continue;
    memory_.refresh(proc_, member.pid);
    memory_read_ns_ = now_ns;
    return;
  }
}

// Before the first sample: a command that was just started may still be in its execve(2), and what it has
// until the second sample is all that is told of it for a whole interval.
void TreeSampler::Impl::wait_for_images() {
  constexpr int kLooks = 20;
  constexpr std::chrono::microseconds kPause{250};
  int looks = 0;
  for (const Member& member : members_) {
    for (; looks < kLooks; ++looks) {
      const auto stat = stat_of(member.pid);
      if (!stat || !stat->is_executing()) break;
      std::this_thread::sleep_for(kPause);
    }
  }
}

// Those that are known, then those that come. An account is settled when all that is lent to it is.
void TreeSampler::Impl::read_processes(std::int64_t now_ns) {
  read_from(0, now_ns);
  members_.inherit();
  settle_from(0);
  members_.drop_ended();
  if (!has_trees_) return;
  const std::size_t known = members_.size();
  discovery_.run(now_ns);
  read_from(known, now_ns);
  settle_from(known);
  members_.drop_ended();
}

const TreeSample& TreeSampler::Impl::sample() {
  if (is_first_ && collect_.memory) wait_for_images();
  const std::int64_t now_ns = clock_.monotonic_ns();
  const Timestamp now = clock_.now();
  boot_time_.read(proc_, now);
  if (is_first_ && collect_.network_io) networks_.note_existing(proc_, discovery_.list());

  read_processes(now_ns);
  if (collect_.network_io) read_networks();
  if (collect_.memory) refresh_memory(now_ns);

  summarize({.members = members_,
             .roles = roles_,
             .networks = networks_,
             .memory = memory_,
             .boot_time = boot_time_,
             .collect = collect_,
             .now = now,
             .now_ns = now_ns,
             .start = start_,
             .share = share_,
             .is_first = is_first_},
            sample_);
  is_first_ = false;
  sample_.taken_ns = now_ns;
  if (!began_ns_) began_ns_ = now_ns;
  sample_.began_ns = *began_ns_;
  sample_.collection_duration = std::chrono::nanoseconds(clock_.monotonic_ns() - now_ns);
  return sample_;
}

TreeSampler::TreeSampler(const Roots& roots, RoleRules rules, Collect collect, const Clock& clock)
    : impl_(std::make_unique<Impl>(roots, std::move(rules), collect, clock)) {}
TreeSampler::TreeSampler(TreeSampler&&) noexcept = default;
TreeSampler& TreeSampler::operator=(TreeSampler&&) noexcept = default;
TreeSampler::~TreeSampler() = default;

void TreeSampler::began(std::int64_t at_ns) {
  impl_->began(at_ns);
}

bool TreeSampler::follow(pid_t root, Scope scope) {
  return impl_->follow(root, scope);
}

bool TreeSampler::attach(pid_t root) {
  return impl_->attach(root);
}

void TreeSampler::follow_orphans_of(pid_t subreaper) {
  impl_->follow_orphans_of(subreaper);
}

void TreeSampler::reaped(pid_t pid, const rusage& usage) {
  impl_->reaped(pid, usage);
}

bool TreeSampler::is_alive() const {
  return impl_->is_alive();
}

const TreeSample& TreeSampler::sample() {
  return impl_->sample();
}

}  // namespace metricsd::tools
