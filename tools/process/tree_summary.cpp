#include "tree_summary.h"

namespace metricsd::tools {

namespace {

// Of a member as it was read last: nothing where that was not now.
std::optional<double> next_share(Member& member, std::int64_t now_ns) {
  if (member.read_ns != now_ns) return std::nullopt;
  const CpuReading now{member.read_ns, member.cpu_ns()};
  if (!member.share) member.share.emplace(now);
  return member.share->next(now);
}

// Of a sum. One that is new has used nothing before; one that is short is not known, and begins anew.
std::optional<double> next_share(std::optional<CpuShare>& share, const Cost& cost, bool is_short,
                                 const TreeReading& reading) {
  const CpuReading now{reading.now_ns, grown(cost.user_ns, cost.system_ns)};
  if (is_short) {
    share.emplace(now);
    return std::nullopt;
  }
  if (!share) share = reading.share ? reading.share->of_newcomer() : CpuShare(now);
  const std::optional<double> percent = share->next(now);
  return reading.is_first ? std::nullopt : percent;
}

void set_cpu(ProcessSample& sample, const Cost& cost) {
  sample.cpu_user_seconds = static_cast<double>(cost.user_ns) / kNsPerSecond;
  sample.cpu_system_seconds = static_cast<double>(cost.system_ns) / kNsPerSecond;
}

void set_disk(ProcessSample& sample, const Cost& cost) {
  sample.disk_read_bytes = cost.read_bytes;
  sample.disk_write_bytes = cost.write_bytes;
}

// What is known of one is known of the sum.
void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& one) {
  if (one) sum = grown(sum.value_or(0), *one);
}

// What many processes have together: memory, threads, descriptors and how many they are.
void add(ProcessSample& sum, const ProcessSample& one) {
  add(sum.memory_usage_bytes, one.memory_usage_bytes);
  sum.virtual_memory_bytes = grown(sum.virtual_memory_bytes, one.virtual_memory_bytes);
  sum.thread_count = grown(sum.thread_count, one.thread_count);
  add(sum.file_descriptor_count, one.file_descriptor_count);
  ++sum.processes;
}

ProcessSample empty_sum(Timestamp now) {
  ProcessSample sample;
  sample.timestamp = now;
  sample.processes = 0;
  return sample;
}

ProcessSample sample_of(Member& member, const TreeReading& reading) {
  const Collect& collect = reading.collect;
  ProcessSample sample;
  sample.timestamp = reading.now;
  sample.uptime_seconds = reading.boot_time.seconds_since(member.start_ticks);
  if (collect.cpu) {
    set_cpu(sample, member.account.own());
    sample.cpu_usage_percent = next_share(member, reading.now_ns);
  }
  if (collect.memory) {
    sample.memory_usage_bytes = member.resident_bytes;
    sample.virtual_memory_bytes = member.virtual_bytes;
    if (member.resident_bytes) sample.memory_usage_percent = reading.memory.percent(*member.resident_bytes);
  }
  if (collect.disk_io && member.has_disk) set_disk(sample, member.account.shared());
  if (collect.threads) sample.thread_count = member.threads;
  sample.file_descriptor_count = member.descriptors;
  if (const auto moved = member.network ? reading.networks.raw(*member.network) : std::nullopt) {
    sample.network_rx_bytes = moved->rx;
    sample.network_tx_bytes = moved->tx;
  }
  return sample;
}

// The slot keeps its string's memory.
void set_entry(ProcessEntry& entry, const Member& member, const ProcessSample& sample,
               std::string_view role) {
  entry.pid = member.pid;
  entry.start_time_seconds = member.start_time_seconds;
  entry.role = role;
  entry.comm = member.comm;
  entry.sample = sample;
}

void begin_roles(const TreeReading& reading, TreeSample& sample) {
  sample.roles.resize(reading.roles.size());
  for (std::size_t index = 0; index < reading.roles.size(); ++index) {
    const RoleBook::Role& role = reading.roles[index];
    sample.roles[index] = {role.name, empty_sum(reading.now), role.start.seconds};
  }
}

void add_members(const TreeReading& reading, TreeSample& sample) {
  sample.processes.resize(std::min(reading.members.size(), kListedProcesses));
  std::size_t listed = 0;
  for (Member& member : reading.members) {
    if (member.state != Member::State::living || !member.was_read) continue;
    const ProcessSample one = sample_of(member, reading);
    add(sample.total, one);
    add(sample.roles[member.role].sample, one);
    if (listed == sample.processes.size()) continue;
    set_entry(sample.processes[listed++], member, one, reading.roles[member.role].name);
  }
  sample.processes.resize(listed);
}

// Of nobody, what is summed of the living is known: it is nothing.
void set_nothing(ProcessSample& sum, const Collect& collect) {
  if (collect.memory) sum.memory_usage_bytes = 0;
  if (collect.file_descriptors) sum.file_descriptor_count = 0;
}

struct Counted {
  Cost cost{};
  bool has_disk = false;
  bool is_short = false;
};

// What is told of a sum beyond what add() adds.
void finish(ProcessSample& sum, const Counted& counted, std::optional<CpuShare>& share,
            const TreeReading& reading) {
  if (reading.collect.cpu) {
    set_cpu(sum, counted.cost);
    sum.cpu_usage_percent = next_share(share, counted.cost, counted.is_short, reading);
  }
  if (sum.processes == 0) set_nothing(sum, reading.collect);
  if (reading.collect.memory && sum.memory_usage_bytes) {
    sum.memory_usage_percent = reading.memory.percent(*sum.memory_usage_bytes);
  }
  if (reading.collect.disk_io && counted.has_disk) set_disk(sum, counted.cost);
}

void finish_roles(const TreeReading& reading, TreeSample& sample) {
  Counted all;
  for (std::size_t index = 0; index < reading.roles.size(); ++index) {
    RoleBook::Role& role = reading.roles[index];
    ProcessSample& sum = sample.roles[index].sample;
    finish(sum, {role.cost, role.has_disk, role.is_short}, role.share, reading);
    sum.uptime_seconds = reading.boot_time.seconds_since(role.start.ticks);
    all.cost += role.cost;
    all.has_disk |= role.has_disk;
    all.is_short |= role.is_short;
    role.is_short = false;
  }
  finish(sample.total, all, reading.share, reading);
  if (reading.start) sample.total.uptime_seconds = reading.boot_time.seconds_since(reading.start->ticks);
}

}  // namespace

void summarize(const TreeReading& reading, TreeSample& sample) {
  sample.total = empty_sum(reading.now);
  begin_roles(reading, sample);
  add_members(reading, sample);
  finish_roles(reading, sample);
  if (const auto moved = reading.collect.network_io ? reading.networks.moved() : std::nullopt) {
    sample.total.network_rx_bytes = moved->rx;
    sample.total.network_tx_bytes = moved->tx;
  }
}

}  // namespace metricsd::tools
