// metricsctl adopt: delivers what processes left behind that were killed, where the daemon may not do it by
// itself.

#include "command.h"
#include "daemon_status.h"
#include "left_segment.h"

#include <metricsd/ipc/endpoint.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr int kAnswerTimeoutMs = 60'000;  // of a daemon that is busy, or whose disk is

constexpr std::chrono::milliseconds kBusyPause{200};

struct AdoptOptions {
  std::string socket;
  std::vector<std::string> places;
};

struct Tally {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t lines = 0;
  std::uint64_t in_use = 0;
  std::uint64_t under_way = 0;  // another has its lock
  std::uint64_t others = 0;     // of other users, whose files are for them to complete
  bool failed = false;
};

// Waits for its turn where many hand something in.
Result<ipc::AdoptedMessage> ask_daemon(const LeftSegment& segment,
                                       const std::vector<std::filesystem::path>& paths) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kAnswerTimeoutMs);
  while (true) {
    auto answer = ipc::hand_in_segment(paths, ::geteuid(), segment.file(), kAnswerTimeoutMs);
    const bool is_busy = answer && answer->error == ipc::kAdoptionBusy;
    if (!is_busy || std::chrono::steady_clock::now() >= deadline) return answer;
    std::this_thread::sleep_for(kBusyPause);
  }
}

// Returns false where the daemon did not take it.
bool hand_in(const LeftSegment& segment, const std::string& name,
             const std::vector<std::filesystem::path>& paths, Tally& tally) {
  if (segment.reader().adopted() != ipc::Adopted::no) return true;
  const auto answer = ask_daemon(segment, paths);
  if (!answer) {
    fail(name + ": " + explain(answer.error(), paths));
    return false;
  }
  if (!answer->error.empty()) {
    fail(name + ": the daemon did not take it: " + answer->error);
    return false;
  }
  tally.records += answer->records;
  tally.lines += answer->file_lines;
  return true;
}

bool deliver(const std::filesystem::path& file, const std::vector<std::filesystem::path>& paths,
             Tally& tally) {
  const std::string name = file.string();
  auto segment = LeftSegment::open(file);
  if (!segment) {
    fail(name + ": " + explain_opening(segment.error()));
    return false;
  }
  if (segment->is_owned()) {
    ++(segment->is_in_use() ? tally.in_use : tally.under_way);
    return true;
  }
  if (!hand_in(*segment, name, paths, tally)) return false;
  if (!segment->is_own()) {
    ++tally.segments;
    if (!segment->remove_if_delivered()) ++tally.others;
    return true;
  }
  const auto lines = segment->complete_file();
  if (!lines) {
    fail(name + ": its run's file lacks lines: " + lines.error().message());
    return false;
  }
  tally.lines += *lines;
  ++tally.segments;
  segment->remove_if_delivered();
  return true;
}

int adopt(const AdoptOptions& options) {
  const auto paths = daemon_paths(options.socket);
  std::vector<std::filesystem::path> places(options.places.begin(), options.places.end());
  Tally tally;
  for (const std::filesystem::path& place : places) {
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(place, error))) continue;
    fail(place.string() + ": there is no such file");
    tally.failed = true;
  }
  if (places.empty()) places = ipc::segment_directories(options.socket, ipc::Environment::of_process());
  for (const std::filesystem::path& file : left_segments(places)) {
    if (!deliver(file, paths, tally)) tally.failed = true;
  }
  std::printf("%llu segments delivered: %llu records to the daemon, %llu lines to the files of their runs\n",
              static_cast<unsigned long long>(tally.segments), static_cast<unsigned long long>(tally.records),
              static_cast<unsigned long long>(tally.lines));
  if (tally.others > 0) {
    std::printf("%llu of them are other users' and stay: they may owe lines to files that are theirs\n",
                static_cast<unsigned long long>(tally.others));
  }
  if (tally.in_use > 0) {
    std::printf("%llu left alone: their processes live\n", static_cast<unsigned long long>(tally.in_use));
  }
  if (tally.under_way > 0) {
    std::printf(
        "%llu left alone: a daemon or another metricsctl delivers them, or a process that is not seen here "
        "has them\n",
        static_cast<unsigned long long>(tally.under_way));
  }
  return tally.failed ? kFailed : kDone;
}

}  // namespace

void add_adopt_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<AdoptOptions>();
  CLI::App* const command = app.add_subcommand(
      "adopt", "Deliver what killed processes left behind, to the daemon and to their runs");
  command->add_option("places", options->places,
                      "Segments, or directories of them (default: where clients of this user leave them)");
  command->add_option("--socket", options->socket, "The daemon's socket (default: where clients look)");
  command->callback([options, &exit_code] { exit_code = adopt(*options); });
}

}  // namespace metricsd::tools
