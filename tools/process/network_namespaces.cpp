#include "network_namespaces.h"

#include "cost.h"
#include "mountinfo.h"
#include "pid_path.h"
#include "text_scanner.h"

#include <algorithm>
#include <array>
#include <utility>

#include <unistd.h>

namespace metricsd::tools {

namespace {

// Of those that ours have left: who comes back is not counted anew.
constexpr std::size_t kRemembered = 64;

// "net:[4026531840]"
std::optional<NetworkNamespaces::Id> decode_id(std::string_view text) {
  constexpr std::string_view kBegin = "net:[";
  if (!text.starts_with(kBegin) || !text.ends_with(']')) return std::nullopt;
  return TextScanner::as_number(text.substr(kBegin.size(), text.size() - kBegin.size() - 1));
}

}  // namespace

Result<NetworkNamespaces::Id> NetworkNamespaces::of(const KernelFiles& proc, pid_t pid) {
  std::array<char, 64> target{};
  const ssize_t size =
      ::readlinkat(proc.directory(), PidPath(pid, "ns/net").c_str(), target.data(), target.size());
  if (size < 0) return last_system_error();
  const auto id = decode_id({target.data(), static_cast<std::size_t>(size)});
  if (!id) return Errc::invalid_characters;
  return *id;
}

void NetworkNamespaces::note_existing(KernelFiles& proc, const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    if (const auto id = of(proc, pid)) existing_.push_back(*id);
  }
  if (const auto text = proc.read("self/mountinfo")) {
    TextScanner lines(*text);
    do {
      const auto mount = decode_mount(lines.rest_of_line());
      const auto id = mount && mount->type == "nsfs" ? decode_id(mount->root) : std::nullopt;
      if (id) existing_.push_back(*id);
    } while (lines.next_line());
  }
  std::sort(existing_.begin(), existing_.end());
  existing_.erase(std::unique(existing_.begin(), existing_.end()), existing_.end());
}

void NetworkNamespaces::note_existing(Id id) {
  const auto place = std::lower_bound(existing_.begin(), existing_.end(), id);
  if (place == existing_.end() || *place != id) existing_.insert(place, id);
}

bool NetworkNamespaces::existed(Id id) const {
  return std::binary_search(existing_.begin(), existing_.end(), id);
}

// The link and the file are not opened at one moment: where the process has gone elsewhere in between, the
// file is of that other namespace, and would be counted twice.
bool NetworkNamespaces::enter(const KernelFiles& proc, Id id, pid_t pid) {
  auto found =
      std::find_if(namespaces_.begin(), namespaces_.end(), [&](const auto& each) { return each.id == id; });
  UniqueFd file;
  if (found == namespaces_.end() || !found->file.valid()) {
    file = proc.open(PidPath(pid, "net/dev").c_str());
    const auto now = of(proc, pid);
    if (!now || *now != id) return false;
  }
  if (found == namespaces_.end()) {
    found = namespaces_.insert(found, {id, DeviceCounters(!existed(id)), UniqueFd()});
  }
  found->is_entered = true;
  if (!found->file.valid()) found->file = std::move(file);
  return true;
}

bool NetworkNamespaces::finish(KernelFiles& proc) {
  bool all_read = true;
  for (Namespace& each : namespaces_) {
    if (each.file.valid()) {
      const auto text = proc.read(each.file);
      const bool read = text && each.counters.read(*text);
      each.was_read |= read;
      was_read_ |= read;
      all_read &= read;
    }
    if (!each.is_entered) each.file = UniqueFd();
    each.is_entered = false;
  }
  forget_oldest();
  return all_read;
}

void NetworkNamespaces::forget_oldest() {
  if (namespaces_.size() <= kRemembered) return;
  const auto oldest = std::find_if(namespaces_.begin(), namespaces_.end(),
                                   [](const Namespace& each) { return !each.file.valid(); });
  if (oldest == namespaces_.end()) return;
  forgotten_.rx = grown(forgotten_.rx, oldest->counters.moved().rx);
  forgotten_.tx = grown(forgotten_.tx, oldest->counters.moved().tx);
  namespaces_.erase(oldest);
}

std::optional<NetworkBytes> NetworkNamespaces::moved() const {
  if (!was_read_) return std::nullopt;
  NetworkBytes all = forgotten_;
  for (const Namespace& each : namespaces_) {
    all = {grown(all.rx, each.counters.moved().rx), grown(all.tx, each.counters.moved().tx)};
  }
  return all;
}

std::optional<NetworkBytes> NetworkNamespaces::raw(Id id) const {
  for (const Namespace& each : namespaces_) {
    if (each.id == id && each.was_read) return each.counters.raw();
  }
  return std::nullopt;
}

}  // namespace metricsd::tools
