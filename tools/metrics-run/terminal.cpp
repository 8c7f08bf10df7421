#include "terminal.h"

#include <fcntl.h>
#include <unistd.h>

namespace metricsd::tools {

Terminal::Terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  leads_ = fd_.valid() && ::getpgrp() == ::getpid() && ::tcgetpgrp(fd_.get()) == ::getpgrp();
}

void Terminal::take_as_child() const noexcept {
  if (!leads_) return;
  ::setpgid(0, 0);
  ::tcsetpgrp(fd_.get(), ::getpid());
}

bool Terminal::give_to(pid_t group) {
  if (!leads_) return false;
  const pid_t owner = ::tcgetpgrp(fd_.get());
  if (owner != ::getpgrp() && owner != group) return false;
  given_ = owner == group || ::tcsetpgrp(fd_.get(), group) == 0;
  return given_;
}

void Terminal::take_back() {
  if (!given_) return;
  ::tcsetpgrp(fd_.get(), ::getpgrp());
  given_ = false;
}

}  // namespace metricsd::tools
