#include "process_reader.h"

#include "kernel_units.h"
#include "pid_io.h"
#include "pid_path.h"
#include "trusted.h"

#include <metricsd/models/text.h>
#include <metricsd/models/timestamp.h>

#include <cerrno>

namespace metricsd::tools {

namespace {

// ESRCH: it has ended since its file was opened. A descriptor that is not free, or memory, says nothing of
// it.
bool is_gone(const boost::system::error_code& error) {
  return error.category() == boost::system::system_category() &&
         (error.value() == ENOENT || error.value() == ESRCH);
}

bool is_denied(const boost::system::error_code& error) {
  return error.category() == boost::system::system_category() &&
         (error.value() == EACCES || error.value() == EPERM);
}

}  // namespace

ProcessReader::ProcessReader(KernelFiles& proc, const Collect& collect, CollectionFaults& faults)
    : proc_(proc), collect_(collect), faults_(faults), descriptors_(proc.directory()) {}

bool ProcessReader::read(Member& member, std::int64_t now_ns) {
  const auto text = proc_.read(PidPath(member.pid, "stat").c_str());
  if (!text) {
    if (is_gone(text.error())) {
      member.state = Member::State::ended;
    } else {
      count_fault(member, text.error());
    }
    return false;
  }
  const auto stat = decode_pid_stat(*text);
  if (!stat) {
    ++faults_.malformed;
    return false;
  }
  if (stat->start_ticks != member.start_ticks) {
    ++faults_.reused;
    member.state = Member::State::ended;
    return false;
  }
  return take(member, *stat, now_ns);
}

bool ProcessReader::take(Member& member, const PidStat& stat, std::int64_t now_ns) {
  member.state = stat.is_zombie() ? Member::State::zombie : Member::State::living;
  if (stat.is_zombie() && !member.is_counted_zombie) {
    member.is_counted_zombie = true;
    ++faults_.zombies;
  }
  member.parent = stat.parent;
  // Of a process that has ended there is no stack any more; that is no other command.
  const bool lives = member.state == Member::State::living;
  const bool is_new_name = !member.was_read || stat.comm != member.kernel_name;
  const bool is_new_image = is_new_name || (lives && stat.stack_start != member.stack_start);
  if (lives) member.stack_start = stat.stack_start;
  if (is_new_name) {
    member.kernel_name = stat.comm;
    assign_clean(member.comm, stat.comm, kComm);
  }
  member.was_read = true;
  member.read_ns = now_ns;
  read_details(member, stat, is_new_image, now_ns);
  return is_new_image;
}

void ProcessReader::read_details(Member& member, const PidStat& stat, bool is_new_image,
                                 std::int64_t now_ns) {
  const Cost own{.user_ns = ticks_to_ns(stat.user_ticks), .system_ns = ticks_to_ns(stat.system_ticks)};
  Cost shared;
  if (!member.is_alone) {
    shared.user_ns = ticks_to_ns(stat.children_user_ticks);
    shared.system_ns = ticks_to_ns(stat.children_system_ticks);
  }
  if (collect_.disk_io) read_io(member, shared);
  member.account.read(own, shared);

  const bool lives = member.state == Member::State::living;
  member.virtual_bytes = lives ? stat.virtual_bytes : 0;
  member.resident_bytes = pages_to_bytes(lives ? stat.resident_pages : 0);
  if (lives && stat.is_executing()) member.resident_bytes.reset();
  member.threads = lives ? stat.threads : 0;
  if (!lives) return;
  if (collect_.file_descriptors) {
    const auto count = descriptors_.of(member.pid);
    if (!count) count_fault(member, count.error());
    member.descriptors = count ? std::optional(*count) : std::nullopt;
  }
  if (!collect_.network_io) return;
  if (is_new_image || now_ns - member.network_read_ns >= kTrustedNs) read_network(member, now_ns);
}

void ProcessReader::read_io(Member& member, Cost& shared) {
  const auto text = proc_.read(PidPath(member.pid, "io").c_str());
  if (!text) return count_fault(member, text.error());
  const auto io = decode_pid_io(*text);
  if (!io) {
    ++faults_.malformed;
    return;
  }
  shared.read_bytes = io->read_bytes;
  shared.write_bytes = io->write_bytes;
  member.has_disk = true;
}

void ProcessReader::read_network(Member& member, std::int64_t now_ns) {
  member.network_read_ns = now_ns;
  const auto id = NetworkNamespaces::of(proc_, member.pid);
  if (id) {
    member.network = *id;
  } else {
    count_fault(member, id.error());
  }
}

// A file that has gone with its process is no fault: the next sample finds that it has ended. Of one that has
// ended already some kernels close the files.
void ProcessReader::count_fault(Member& member, const boost::system::error_code& error) {
  if (is_gone(error) || member.state != Member::State::living) return;
  if (!is_denied(error)) {
    ++faults_.malformed;
  } else if (!member.is_denied) {
    member.is_denied = true;
    ++faults_.denied;
  }
}

}  // namespace metricsd::tools
