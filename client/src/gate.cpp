#include "gate.h"

#include <cstddef>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

const Gate& Gate::nowhere() noexcept {
  static constinit Gate gate;
  return gate;
}

GatePage::GatePage(Intake& intake) {
  void* page = ::mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  static_cast<void>(::madvise(page, page_bytes(), MADV_WIPEONFORK));
  gate_ = ::new (page) Gate;
  gate_->intake = &intake;
}

GatePage::~GatePage() {
  ::munmap(gate_, page_bytes());
}

}  // namespace metricsd::client
