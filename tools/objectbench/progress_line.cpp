#include "progress_line.h"

#include <cstdio>

#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr double kBytesPerMebibyte = 1024.0 * 1024.0;
constexpr const char* kClearLine = "\r\033[K";

}  // namespace

ProgressLine::ProgressLine(bool wanted) : shown_(wanted && ::isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs(kClearLine, stderr);
}

void ProgressLine::update(const SharedProgress& progress) {
  const auto now = Clock::now();
  if (!shown_ || now - last_ < std::chrono::seconds(1)) return;
  const double seconds = std::chrono::duration<double>(now - last_).count();
  const std::uint64_t operations = progress.operations.load(std::memory_order_relaxed);
  const std::uint64_t bytes = progress.bytes.load(std::memory_order_relaxed);
  std::fprintf(
      stderr, "%s%4lld s  %llu operations  %.0f/s  %.1f MiB/s  %llu errors", kClearLine,
      static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(now - started_).count()),
      static_cast<unsigned long long>(operations),
      static_cast<double>(operations - last_operations_) / seconds,
      static_cast<double>(bytes - last_bytes_) / kBytesPerMebibyte / seconds,
      static_cast<unsigned long long>(progress.failures.load(std::memory_order_relaxed)));
  last_ = now;
  last_operations_ = operations;
  last_bytes_ = bytes;
}

}  // namespace metricsd::tools
