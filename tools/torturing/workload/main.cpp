// usage: metricsd_torture_workload --book FILE --name NAME --socket PATH [--operations N] [--threads N]
//                                  [--rate N] [--queue-bytes N] [--ring-bytes N] [--lingering-child SECONDS]
//
// A workload that tools/torture kills, stops and counts. Each of its threads records `operations` operations
// at `rate` a second, every other one with texts, all with `driver` NAME, which tells them apart in the
// scrape, and adds 1 for each to a counter of its own, torture_steps_total. It notes each in its book before
// and after (book.h). SIGTERM ends it early and well. --lingering-child forks one that does nothing but hold
// what it inherited: the daemon sees no end of the connection when the workload dies.

#include "book.h"
#include "command_line.h"

#include <metricsd/client/collector.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace metricsd::torture;
namespace client = metricsd::client;
using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string book;
  std::string name;
  std::string socket;
  std::uint64_t operations = 10'000;
  std::uint64_t threads = 2;
  std::uint64_t rate = 2000;
  std::size_t queue_bytes = std::size_t{4} << 20;
  std::size_t ring_bytes = std::size_t{1} << 20;
  unsigned lingering_child = 0;
};

std::atomic<bool> told_to_end{false};

void parse(CLI::App& app, Arguments& arguments) {
  app.add_option("--book", arguments.book)->required();
  app.add_option("--name", arguments.name)->required();
  app.add_option("--socket", arguments.socket)->required();
  app.add_option("--operations", arguments.operations);
  app.add_option("--threads", arguments.threads)->check(CLI::Range(std::uint64_t{1}, kBookThreads));
  app.add_option("--rate", arguments.rate)->check(CLI::PositiveNumber);
  app.add_option("--queue-bytes", arguments.queue_bytes);
  app.add_option("--ring-bytes", arguments.ring_bytes);
  app.add_option("--lingering-child", arguments.lingering_child);
}

Book* open_book(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(Book)) != 0) return nullptr;
  void* const memory = ::mmap(nullptr, sizeof(Book), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return memory == MAP_FAILED ? nullptr : static_cast<Book*>(memory);
}

client::RunOptions run_options(const Arguments& arguments) {
  client::RunOptions options;
  options.test_name = "torture";
  options.workload_type = "torture";
  options.driver = arguments.name;
  options.socket = arguments.socket;
  options.write_files = false;
  options.join_from_environment = false;
  options.ring_bytes = arguments.ring_bytes;
  options.queue_bytes = arguments.queue_bytes;
  options.finish_timeout = std::chrono::milliseconds::max();  // who dies of it is the driver's to see
  return options;
}

// Records until all is done or SIGTERM comes, in bursts of a few milliseconds.
void work(const Arguments& arguments, client::Collector& run, const client::Counter& steps,
          BookThread& book) {
  constexpr std::uint64_t kBurstsPerSecond = 200;
  const std::uint64_t burst = std::max<std::uint64_t>(1, arguments.rate / kBurstsPerSecond);
  const auto pause = std::chrono::nanoseconds(std::chrono::seconds(1)) * burst / arguments.rate;
  const client::BoundOperation bound = run.bind("step");
  Clock::time_point next = Clock::now();
  for (std::uint64_t done = 0; done < arguments.operations && !told_to_end; ++done) {
    if (done % burst == 0) std::this_thread::sleep_until(next += pause);
    book.begun.fetch_add(1, std::memory_order_relaxed);
    const std::chrono::microseconds duration(done % 1000);
    if (done % 2 == 0) {
      bound.record({.duration = duration, .object_size_bytes = 1});
    } else {
      run.record(
          {.operation_type = "step", .duration = duration, .object_key = "key", .object_size_bytes = 1});
    }
    book.done.fetch_add(1, std::memory_order_relaxed);
    steps.add();
  }
}

std::uint64_t sum_of(const client::DropCounts& dropped, const std::string& sink) {
  const auto causes = dropped.find(sink);
  std::uint64_t sum = 0;
  if (causes == dropped.end()) return sum;
  for (const auto& [cause, count] : causes->second) sum += count;
  return sum;
}

void finish(client::Collector& run, Book& book) {
  const client::Report report = run.finish();
  book.dropped_ring = sum_of(report.dropped, "ring");
  book.dropped_record = sum_of(report.dropped, "record");
  book.dropped_socket = sum_of(report.dropped, "socket");
  book.untold_metrics = std::any_of(report.warnings.begin(), report.warnings.end(), [](const auto& warning) {
    return warning.find("metric") != std::string::npos;
  });
  for (const std::string& warning : report.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const auto& [sink, causes] : report.dropped) {
    for (const auto& [cause, count] : causes) {
      std::fprintf(stderr, "dropped{%s,%s}: %llu\n", sink.c_str(), cause.c_str(),
                   static_cast<unsigned long long>(count));
    }
  }
  book.finished = 1;
}

void hold_what_is_inherited(unsigned seconds) {
  if (seconds == 0 || ::fork() != 0) return;
  (void)std::signal(SIGTERM, SIG_DFL);
  ::sleep(seconds);
  ::_exit(EXIT_SUCCESS);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("A workload for tools/torture");
  parse(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return metricsd::tools::end_parsing(app, error);
  }
  (void)std::signal(SIGTERM, [](int) { told_to_end = true; });
  Book* const book = open_book(arguments.book);
  if (book == nullptr) {
    std::perror(arguments.book.c_str());
    return EXIT_FAILURE;
  }
  book->magic = kBookMagic;
  book->pid = static_cast<std::uint64_t>(::getpid());
  book->threads = arguments.threads;

  client::Collector run(run_options(arguments));
  if (!run) {
    std::fprintf(stderr, "%s\n", run.error().c_str());
    return EXIT_FAILURE;
  }
  const client::Counter steps =
      run.counter({.name = "torture_steps", .labels = {{"driver", arguments.name}}});
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < arguments.threads; ++i) {
    threads.emplace_back([&, i] { work(arguments, run, steps, book->thread[i]); });
  }
  hold_what_is_inherited(arguments.lingering_child);
  for (std::thread& thread : threads) thread.join();
  finish(run, *book);
  return EXIT_SUCCESS;
}
