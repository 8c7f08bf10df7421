// usage: metricsd_bench_monitoring PROCESSES SAMPLES PAUSE_MS FIGURE[,FIGURE...]
//
// What it costs to sample a tree of so many sleeping processes. FIGURE: cpu, memory, disk_io, network_io,
// threads, file_descriptors: what is collected of each. There is a pause before each sample, as there is in
// use: what the machine does meanwhile takes the caches away.
//
//   sample_ns      CPU of the sampling thread a sample, all of them together divided
//   memory_bytes   allocated and kept after the last one
//   growth_bytes   of them, since half of the samples were taken
//   system_ns      CPU of a sample of the whole machine

#include "process.h"
#include "system_sampler.h"
#include "tree_sampler.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace metricsd::measuring;
using namespace metricsd::tools;

constexpr int kSettling = 3;  // samples before any is measured: what they find and open is not found again

std::int64_t bytes_in_use() {
  const struct mallinfo2 heap = ::mallinfo2();
  return static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
}

// A process that sleeps until its parent has gone.
template <class Begin>
pid_t start_sleeper(Begin begin) {
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork failed");
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  begin();
  for (;;) ::pause();
}

class SleepingTree {
 public:
  explicit SleepingTree(std::size_t processes)
      : root_(start_sleeper([processes] {
          for (std::size_t i = 1; i < processes; ++i) start_sleeper([] {});
        })) {}
  SleepingTree(const SleepingTree&) = delete;
  SleepingTree& operator=(const SleepingTree&) = delete;
  ~SleepingTree() {
    ::kill(root_, SIGKILL);
    ::waitpid(root_, nullptr, 0);
  }

  [[nodiscard]] pid_t root() const { return root_; }

 private:
  pid_t root_;
};

std::optional<Collect> parse_figures(std::string_view words) {
  Collect collect{false, false, false, false, false, false};
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(','));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    bool* const figure = word == "cpu"                ? &collect.cpu
                         : word == "memory"           ? &collect.memory
                         : word == "disk_io"          ? &collect.disk_io
                         : word == "network_io"       ? &collect.network_io
                         : word == "threads"          ? &collect.threads
                         : word == "file_descriptors" ? &collect.file_descriptors
                                                      : nullptr;
    if (figure == nullptr) return std::nullopt;
    *figure = true;
  }
  return collect;
}

struct Plan {
  std::size_t processes;
  int samples;
  std::chrono::milliseconds pause;
  Collect collect;
};

std::optional<Plan> parse_plan(int argc, char** argv) {
  constexpr int kWords = 5;
  if (argc != kWords) return std::nullopt;
  const auto collect = parse_figures(argv[4]);
  const Plan plan{std::strtoul(argv[1], nullptr, 10), std::atoi(argv[2]),
                  std::chrono::milliseconds(std::atoi(argv[3])), collect.value_or(Collect{})};
  return collect && plan.processes > 0 && plan.samples > 1 ? std::optional(plan) : std::nullopt;
}

template <class Sampler>
double sample_ns(Sampler& sampler, int samples, std::chrono::milliseconds pause) {
  double spent = 0;
  for (int i = 0; i < samples; ++i) {
    std::this_thread::sleep_for(pause);
    spent += cpu_ns_of([&] { (void)sampler.sample(); });
  }
  return spent / samples;
}

// Until all have been found, and everything is as large as it will be.
void settle(TreeSampler& sampler, std::size_t processes) {
  constexpr int kAttempts = 1000;
  int settled = 0;
  for (int attempt = 0; settled < kSettling; ++attempt) {
    if (attempt == kAttempts) fail("the tree does not grow to its size");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    settled += sampler.sample().total.processes == processes;
  }
}

void measure(const Plan& plan) {
  const SleepingTree tree(plan.processes);
  const std::int64_t before = bytes_in_use();
  TreeSampler sampler({}, {}, plan.collect, metricsd::system_clock());
  if (!sampler.follow(tree.root())) fail("the tree is not there");
  settle(sampler, plan.processes);
  const int half = plan.samples / 2;
  const double first = sample_ns(sampler, half, plan.pause);
  const std::int64_t in_the_middle = bytes_in_use();
  const double second = sample_ns(sampler, plan.samples - half, plan.pause);
  const std::int64_t after = bytes_in_use();
  SystemSampler system({}, metricsd::system_clock());
  (void)system.sample();
  print({{"sample_ns", (first * half + second * (plan.samples - half)) / plan.samples},
         {"memory_bytes", after - before},
         {"growth_bytes", after - in_the_middle},
         {"system_ns", sample_ns(system, half, plan.pause)}});
}

}  // namespace

int main(int argc, char** argv) {
  const auto plan = parse_plan(argc, argv);
  if (!plan) fail("usage: metricsd_bench_monitoring PROCESSES SAMPLES PAUSE_MS FIGURE[,FIGURE...]");
  measure(*plan);
}
