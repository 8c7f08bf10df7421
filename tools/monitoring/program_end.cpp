#include "program_end.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace metricsd::tools {

void end_program(int exit_code) {
  std::fflush(nullptr);
  std::quick_exit(exit_code);
}

void end_program_by(int signal) {
  std::fflush(nullptr);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  std::quick_exit(kSignalBase + signal);
}

}  // namespace metricsd::tools
