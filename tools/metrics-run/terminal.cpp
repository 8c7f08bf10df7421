#include "terminal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

bool leads_into_a_pipeline() {
  struct stat output {};
  return ::fstat(STDOUT_FILENO, &output) == 0 && (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode));
}

}  // namespace

Terminal::Terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  leads_ = fd_.valid() && ::getpgrp() == ::getpid() && ::tcgetpgrp(fd_.get()) == ::getpgrp() &&
           !leads_into_a_pipeline();
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
