#include "attachment.h"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace metricsd::tools {

std::optional<Attachment> Attachment::make(const AttachOptions& options, TreeSampler& sampler,
                                           std::string& why) {
  Attachment attachment(sampler);
  for (const pid_t pid : options.pids) {
    if (const int error = attachment.attach(pid); error != 0) {
      why = "process " + std::to_string(pid) + ": " + std::generic_category().message(error);
      return std::nullopt;
    }
  }
  if (options.pattern.empty()) return attachment;
  attachment.search_.emplace(Roots{}.proc, options.pattern);
  attachment.watches_any_ = true;
  attachment.look_for_more();
  if (attachment.first_ == 0 && !options.monitoring.profile.service) {
    why = "no process fits " + options.pattern;
    return std::nullopt;
  }
  return attachment;
}

int Attachment::attach(pid_t pid) {
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) return errno;
  processes_.push_back(std::move(process));
  sampler_->attach(pid);
  if (first_ == 0) first_ = pid;
  watches_any_ = true;
  return 0;
}

void Attachment::look_for_more() {
  if (!search_) return;
  for (const pid_t pid : search_->find()) {
    sampler_->attach(pid);
    if (first_ == 0) first_ = pid;
  }
}

void Attachment::wait(int signals, int timeout_ms) {
  std::vector<pollfd> readable{{signals, POLLIN, 0}};
  for (const UniqueFd& process : processes_) readable.push_back({process.get(), POLLIN, 0});
  if (::poll(readable.data(), readable.size(), timeout_ms) <= 0) return;
  for (std::size_t i = processes_.size(); i-- > 0;) {
    if (readable[i + 1].revents != 0) processes_.erase(processes_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool Attachment::is_over() const {
  return watches_any_ && processes_.empty() && (!search_ || !sampler_->is_alive());
}

}  // namespace metricsd::tools
