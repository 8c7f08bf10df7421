#include "daemon.h"

#include "adoption/adopter.h"
#include "checkpoint/keeper.h"
#include "display.h"
#include "ingest/acceptor.h"
#include "ingest/allow_list.h"
#include "ingest/shard.h"
#include "process_figures.h"
#include "running_clock.h"
#include "sender_socket.h"
#include "service_manager.h"
#include "shares.h"
#include "status.h"
#include "version.h"
#include "watchdog.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/run.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <unistd.h>

namespace metricsd::server {
namespace {

namespace asio = boost::asio;

// How long the last checkpoint may take: the daemon is to be gone within 2 s of being told, of which senders
// have had some.
constexpr std::chrono::milliseconds kLastCheckpoint{1000};
// The watchdog is told so many times in the time that it waits.
constexpr std::int64_t kWatchdogTimes = 3;

// One line for a person; the exit code of who could not start.
int fail(const std::string& why) {
  std::string line = "metricsd: " + why;
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  std::fprintf(stderr, "%s\n", line.c_str());
  return 1;
}

// Members are in the order of their making; they go in the reverse one.
class Daemon {
 public:
  explicit Daemon(const Config& config)
      : config_(config),
        logger_(config.log_level, config.log_format),
        catalog_(std::make_shared<Catalog>(config.max_series)),
        display_(config,
                 {.shards = shards_,
                  .keeper = keeper_,
                  .catalog = catalog_,
                  .tasks = tasks_,
                  .clock = clock_,
                  .ready = [this] { return ready_.load(); },
                  .complete = [this](Status& status) { complete(status); }},
                 logger_) {}

  int run();

 private:
  bool open_socket();
  bool open_data_dir();
  bool bind_http();
  bool start_shards();
  void start_adopting();
  void start_accepting();
  void announce();
  void start_watchdog();
  int stop();
  LastCheckpoint make_last_checkpoint();

  void complete(Status& status) const;

  const Config& config_;
  RunningClock clock_{system_clock()};
  const Timestamp started_at_ = system_clock().now();
  const std::int64_t started_ns_ = system_clock().monotonic_ns();
  const std::size_t descriptor_limit_ = raise_descriptor_limit();
  DescriptorShares shares_;
  std::atomic<bool> ready_ = false;
  Logger logger_;
  std::string failure_;
  std::string data_dir_error_;
  std::string store_id_ = random_id();
  ServiceManager manager_{ipc::Environment::of_process().variable, ::getpid()};

  asio::io_context control_{1};  // the main thread: signals, and the acceptor
  asio::signal_set signals_{control_};
  std::optional<ipc::Endpoint> endpoint_;
  std::optional<AllowList> allowed_;
  std::optional<UserLimits> users_;
  std::shared_ptr<Catalog> catalog_;
  std::shared_ptr<TaskHistory> tasks_ = std::make_shared<TaskHistory>();
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Keeper> keeper_;  // null: nothing is kept
  std::unique_ptr<Adopter> adopter_;
  Display display_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Watchdog> watchdog_;
};

int Daemon::run() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  if (!open_socket() || !open_data_dir() || !bind_http()) return fail(failure_);
  signals_.async_wait([this](const error_code& error, int signal) {
    if (error) return;
    logger_.info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
    signals_.clear();  // the next one has its default effect: the end, at once
    control_.stop();
  });
  if (!start_shards()) return fail(failure_);
  start_adopting();
  display_.start();
  start_accepting();
  announce();
  start_watchdog();
  control_.run();
  return stop();
}

bool Daemon::open_socket() {
  auto socket = open_sender_socket(config_, manager_, failure_);
  if (!socket) return false;
  endpoint_.emplace(*std::move(socket));
  allowed_ = read_allow_list(config_, *endpoint_, failure_);
  return allowed_.has_value();
}

// A directory that was asked for and cannot be used is a mistake; without one that nobody asked for the
// daemon serves all the same, and says so.
bool Daemon::open_data_dir() {
  if (config_.data_dir.empty() && !config_.data_dir_is_default) return true;
  std::string why = "no directory for state is known: neither $XDG_STATE_HOME nor $HOME is set";
  Result<std::unique_ptr<Keeper>> keeper = Errc::endpoint_unusable;
  if (!config_.data_dir.empty()) keeper = Keeper::open(config_.data_dir, clock_, logger_, why);
  // Nor is what another version keeps there passed over: its totals would seem to have begun at zero.
  const bool is_mistake = !config_.data_dir_is_default || keeper.error() == Errc::unsupported_protocol;
  if (!keeper && is_mistake) {
    failure_ = why;
    return false;
  }
  if (!keeper) {
    data_dir_error_ = why;
    return true;
  }
  keeper_ = *std::move(keeper);
  store_id_ = keeper_->store_id();
  return true;
}

bool Daemon::bind_http() {
  const auto process = read_process_figures();
  shares_ = share_descriptors(descriptor_limit_,
                              (process ? process->open_fds : 8) + 4 * config_.ingest_threads + 8);
  return display_.bind(shares_.http, failure_);
}

bool Daemon::start_shards() {
  adopter_ = std::make_unique<Adopter>(AdopterOptions{.directories = ipc::segment_directories_of(
                                                          endpoint_->path(), ipc::Environment::of_process()),
                                                      .most_kept = shares_.segments},
                                       shards_, clock_, logger_);
  ShardOptions options{.families = {.metrics_namespace = config_.metrics_namespace,
                                    .duration_bounds = config_.duration_bounds,
                                    .size_bounds = config_.size_bounds},
                       .catalog = catalog_,
                       .tasks = tasks_,
                       .store_id = store_id_,
                       .all = shards_,
                       .segments = adopter_->intake(),
                       .held_bytes = limits::kHeldForPeers / config_.ingest_threads};
  if (keeper_ != nullptr) {
    options.note_change = [this] { keeper_->note_change(); };
    options.hasten_checkpoint = [this] { keeper_->hasten(); };
  }
  for (unsigned i = 0; i < config_.ingest_threads; ++i) {
    options.index = i;
    shards_.push_back(std::make_unique<Shard>(
        options, clock_, logger_, [this](auto deliver) { display_.send_status(std::move(deliver)); }));
  }
  if (keeper_ != nullptr) keeper_->restore(shards_);
  for (const auto& shard : shards_) shard->start();
  if (keeper_ == nullptr) return true;
  const auto begun = keeper_->begin(shards_, catalog_, config_.checkpoint_interval_ns);
  if (!begun) failure_ = "cannot take over the state that was kept: " + begun.error().message();
  return begun.has_value();
}

void Daemon::start_adopting() {
  adopter_->start();
}

void Daemon::start_accepting() {
  const UserLimitPair of_users = user_limits(config_, shares_.ingest);
  users_.emplace(of_users.others, of_users.owner, ::geteuid());
  acceptor_ = std::make_unique<Acceptor>(
      control_, endpoint_->listener(), shards_,
      AcceptorOptions{.max_connections = shares_.ingest, .allowed = *allowed_, .users = *users_}, clock_,
      logger_);
  acceptor_->start();
  ready_ = true;
}

void Daemon::announce() {
  if (!data_dir_error_.empty()) {
    logger_.warning("nothing is kept: totals begin at zero after a restart", {{"reason", data_dir_error_}});
  }
  for (const std::string& address : display_.addresses()) {
    logger_.info("serving HTTP", {{"address", address}, {"metrics", config_.web_telemetry_path}});
  }
  logger_.info("ready", {{"version", version()},
                         {"socket", endpoint_->path().string()},
                         {"namespace", config_.metrics_namespace},
                         {"data_dir", keeper_ != nullptr ? keeper_->directory().string() : "none"},
                         {"ingest_threads", config_.ingest_threads},
                         {"max_connections", shares_.ingest}});
  manager_.notify("READY=1\nSTATUS=Listening at " + endpoint_->path().string() + ", serving HTTP on " +
                  display_.addresses().front());
}

void Daemon::start_watchdog() {
  const auto patience_ns = manager_.watchdog_ns();
  if (!patience_ns) return;
  std::vector<Watchdog::Probe> parts;
  for (const auto& shard : shards_) {
    parts.emplace_back([&shard](auto answer) { shard->probe(std::move(answer)); });
  }
  parts.emplace_back([this](auto answer) { display_.probe(std::move(answer)); });
  watchdog_ =
      std::make_unique<Watchdog>(control_, std::move(parts), [this] { manager_.notify("WATCHDOG=1"); });
  watchdog_->start(*patience_ns / kWatchdogTimes);
}

// Senders first: what they have sent is counted, and durable before they hear of it. The shards' threads end
// last: readers may still be waiting for them. The exit code.
int Daemon::stop() {
  ready_ = false;
  manager_.notify("STOPPING=1");
  acceptor_->stop();
  adopter_->stop();
  for (const auto& shard : shards_) shard->drain();
  display_.stop();
  const LastCheckpoint checkpoint = make_last_checkpoint();
  // Its thread hangs in the disk: nothing here could wait for it.
  if (checkpoint == LastCheckpoint::unfinished) ::_exit(1);
  const IngestTotals totals = display_.totals();
  for (const auto& shard : shards_) shard->stop();
  logger_.info("stopped", {{"socket", endpoint_->path().string()},
                           {"operations", totals.operations},
                           {"rejected", totals.rejected_in_all()}});
  return checkpoint == LastCheckpoint::made ? 0 : 1;
}

// Without one, what came since the one before is not in any file; clients of the library send theirs again.
LastCheckpoint Daemon::make_last_checkpoint() {
  if (keeper_ == nullptr) return LastCheckpoint::made;
  const LastCheckpoint made = keeper_->finish(kLastCheckpoint);
  if (made == LastCheckpoint::made) return made;
  const CheckpointFigures figures = keeper_->figures();
  logger_.error(
      "stopped without a last checkpoint: what others than the client library sent since the one before is "
      "lost",
      {{"directory", keeper_->directory().string()},
       {"lost_seconds", figures.age_ns / kNsPerSecond},
       {"generation", figures.generation},
       {"error", made == LastCheckpoint::unfinished ? "the disk does not answer" : figures.error}});
  return made;
}

void Daemon::complete(Status& status) const {
  status.version = version();
  status.pid = ::getpid();
  status.started_at = started_at_;
  status.uptime_seconds = static_cast<double>(system_clock().monotonic_ns() - started_ns_) / 1e9;
  status.socket = endpoint_->path().string();
  status.data_dir = keeper_ != nullptr ? keeper_->directory().string() : "none";
  status.data_dir_error = data_dir_error_;
  status.store_id = store_id_;
  if (keeper_ != nullptr) {
    status.checkpoint = keeper_->figures();
    status.restored = keeper_->restored();
  }
  status.segments = adopter_->figures();
}

}  // namespace

int run_daemon(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of its write, not ours
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
  return Daemon(config).run();
}

}  // namespace metricsd::server
