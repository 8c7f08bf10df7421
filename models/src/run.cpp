#include <metricsd/models/limits.h>
#include <metricsd/models/run.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <random>

#include <sys/random.h>
#include <unistd.h>

namespace metricsd {
namespace {

constexpr std::size_t kNameMax = 255;  // NAME_MAX of every file system in use

// For where the kernel gives no randomness (a filter of system calls): of no other moment, process or call,
// though not beyond guessing.
void fill_by_circumstance(std::array<unsigned char, 16>& bytes) {
  static std::atomic<std::uint32_t> calls{0};
  const auto now = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  std::seed_seq circumstance{static_cast<std::uint32_t>(now), static_cast<std::uint32_t>(now >> 32),
                             static_cast<std::uint32_t>(::getpid()), ++calls};
  std::array<std::uint32_t, 4> words{};
  circumstance.generate(words.begin(), words.end());
  static_assert(sizeof words == sizeof bytes);
  std::memcpy(bytes.data(), words.data(), sizeof words);
}

bool is_path_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

std::optional<double> Run::duration_seconds() const {
  if (!start_time || !end_time) return std::nullopt;
  const std::int64_t ns = end_time->to_microseconds().ns - start_time->to_microseconds().ns;
  const std::int64_t microseconds =
      std::max<std::int64_t>(ns, 0) / 1000;  // a clock set back makes no negative time
  return static_cast<double>(microseconds) / 1e6;
}

bool is_run_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= limits::kRunId && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), is_path_character);
}

std::string random_id() {
  std::array<unsigned char, 16> bytes{};
  // Up to 256 bytes come whole or, before the kernel has any randomness, after a wait that a signal may
  // interrupt.
  ssize_t got = 0;
  while ((got = ::getrandom(bytes.data(), bytes.size(), 0)) < 0 && errno == EINTR) {
  }
  if (got < 0) fill_by_circumstance(bytes);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 0xF];
  }
  return out;
}

std::string path_component(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_path_character(c); }, '_');
  return out;
}

std::string run_directory_name(const Run& run) {
  std::string tail(1, '_');
  tail += format_timestamp_compact(run.start_time.value_or(Timestamp{}));
  tail += '_';
  tail += path_component(run.test_run_id.substr(0, 8));
  return path_component(run.test_name).substr(0, kNameMax - tail.size()) + tail;
}

}  // namespace metricsd
