#include "adopter.h"

#include "../line_budget.h"
#include "segment_directory.h"

#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/segment_reader.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/stat.h>
#include <unistd.h>

// The header of glibc 2.36 forgets to say that these are C.
extern "C" {
#include <sys/pidfd.h>
}

namespace metricsd::server {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kLook{1};  // at the locks of those whose pid says nothing
constexpr int kLooksBetweenScans = 5;     // of the directory
constexpr std::size_t kAtOnce = 16;       // segments being delivered: the shards have clients that live
constexpr std::uint64_t kFirstId = std::uint64_t{1} << 63;  // no connection comes to so many
constexpr std::size_t kMostLeft = 4096;                     // names of segments that are left as they lie

// A client's segment: kept while it lives, then delivered.
struct Orphan {
  enum class State { watched, looked_at, delivered };

  uid_t uid = 0;
  pid_t pid = 0;
  std::string name;  // of its client as it was told, or of its file
  std::shared_ptr<const UniqueFd> segment;
  std::optional<asio::posix::stream_descriptor> death;  // the pidfd
  State state = State::watched;
  std::vector<std::function<void(const ipc::AdoptedMessage&)>> answers;  // of who handed it in
  ipc::AdoptedMessage outcome;
};

Result<uid_t> owner_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return last_system_error();
  return status.st_uid;
}

bool is_same_file(int one, int other) {
  struct stat a {};
  struct stat b {};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

struct Adopter::State : std::enable_shared_from_this<State> {
  using Key = std::pair<uid_t, std::string>;
  using OrphanPtr = std::shared_ptr<Orphan>;

  State(AdopterOptions given, const std::vector<std::unique_ptr<Shard>>& all, const Clock& clock_given,
        Logger logger_given)
      : options(std::move(given)), shards(all), clock(clock_given), logger(std::move(logger_given)) {}

  void run() {
    try {
      io.run();
    } catch (const std::exception& error) {
      logger.error("the adoption thread failed", {{"error", error.what()}});
      throw;
    }
  }

  // ---- Kept segments ------------------------------------------------------------------------------------

  void keep(uid_t uid, pid_t pid, const std::string& client_id, UniqueFd segment) {
    const Key key(uid, client_id);
    if (const auto found = orphans.find(key); found != orphans.end()) {
      const bool is_known = found->second->state == Orphan::State::delivered ||
                            is_same_file(found->second->segment->get(), segment.get());
      if (is_known) return;
      drop(key);
    }
    if (orphans.size() >= options.most_kept) return note(uid, client_id, "as many as may be are kept");
    const auto owner = owner_of(segment.get());
    if (!owner || *owner != uid) return refuse(uid, client_id, Errc::endpoint_untrusted);
    auto orphan = std::make_shared<Orphan>();
    orphan->uid = uid;
    orphan->pid = pid;
    orphan->name = client_id;
    orphan->segment = std::make_shared<const UniqueFd>(std::move(segment));
    orphans.emplace(key, orphan);
    watch(key, orphan);
  }

  // The pidfd is that of the lock's holder if the holder has this pid after it was opened; whatever it says
  // later, the lock has the last word.
  void watch(const Key& key, const OrphanPtr& orphan) {
    UniqueFd pidfd(orphan->pid > 0 ? ::pidfd_open(orphan->pid, 0) : -1);
    const auto owner = ipc::segment_owner(orphan->segment->get());
    if (!owner) {
      refuse(orphan->uid, orphan->name, owner.error());
      return drop(key);
    }
    if (*owner == -1) return deliver(key, orphan);
    orphan->state = Orphan::State::looked_at;
    if (!pidfd.valid() || *owner != orphan->pid) return;
    orphan->state = Orphan::State::watched;
    orphan->death.emplace(io, pidfd.release());
    orphan->death->async_wait(asio::posix::stream_descriptor::wait_read,
                              [this, key, orphan](const error_code& error) {
                                if (!error && is_current(key, orphan)) on_death(key, orphan);
                              });
  }

  void on_death(const Key& key, const OrphanPtr& orphan) {
    orphan->death.reset();
    const auto owner = ipc::segment_owner(orphan->segment->get());
    if (owner && *owner == -1) return deliver(key, orphan);
    orphan->state = Orphan::State::looked_at;  // another process had that pid, or the owner passed it on
  }

  void let_go(uid_t uid, const std::string& client_id) {
    const Key key(uid, client_id);
    const auto found = orphans.find(key);
    if (found != orphans.end() && found->second->state != Orphan::State::delivered) drop(key);
  }

  void drop(const Key& key) {
    const auto found = orphans.find(key);
    if (found == orphans.end()) return;
    found->second->death.reset();
    orphans.erase(found);
  }

  [[nodiscard]] bool is_current(const Key& key, const OrphanPtr& orphan) const {
    const auto found = orphans.find(key);
    return found != orphans.end() && found->second == orphan;
  }

  // A process may give its segment up while it lives.
  void look(bool at_all) {
    std::vector<std::pair<Key, OrphanPtr>> free;
    for (const auto& [key, orphan] : orphans) {
      const bool is_due =
          orphan->state == Orphan::State::looked_at || (at_all && orphan->state == Orphan::State::watched);
      if (!is_due) continue;
      const auto owner = ipc::segment_owner(orphan->segment->get());
      if (owner && *owner == -1) free.emplace_back(key, orphan);
    }
    for (const auto& [key, orphan] : free) deliver(key, orphan);
  }

  void look_now_and_then() {
    timer.expires_after(kLook);
    timer.async_wait([this](const error_code& error) {
      if (error) return;
      const bool is_time_to_scan = ++looks % kLooksBetweenScans == 0;
      look(is_time_to_scan);
      if (is_time_to_scan) scan();
      publish();
      look_now_and_then();
    });
  }

  // ---- The directory ------------------------------------------------------------------------------------

  void scan() {
    must_scan = false;
    if (options.directory.empty()) return;
    auto opened = SegmentDirectory::open(options.directory);
    if (!opened) {
      if (opened.error() == Errc::endpoint_untrusted) refuse_name(options.directory.string(), opened.error());
      return;
    }
    const uid_t own = ::geteuid();
    opened->for_each_name([&](const std::string& name) {
      if (delivering >= kAtOnce || orphans.size() >= options.most_kept) {
        must_scan = true;
        return false;
      }
      if (!left.contains(name) && !orphans.contains(Key(own, name))) look_at(*opened, name);
      return true;
    });
  }

  void look_at(const SegmentDirectory& directory, const std::string& name) {
    auto segment = directory.open_segment(name);
    if (!segment) {
      if (segment.error() != boost::system::errc::no_such_file_or_directory)
        refuse_name(name, segment.error());
      return;
    }
    const auto owner = ipc::segment_owner(segment->get());
    if (!owner) return refuse_name(name, owner.error());
    if (*owner != -1) return;
    auto orphan = std::make_shared<Orphan>();
    orphan->uid = ::geteuid();
    orphan->name = name;
    orphan->segment = std::make_shared<const UniqueFd>(*std::move(segment));
    const Key key(orphan->uid, name);
    orphans.emplace(key, orphan);
    deliver(key, orphan);
  }

  // ---- Handed in ----------------------------------------------------------------------------------------

  void hand_in(UniqueFd segment, uid_t by, std::function<void(const ipc::AdoptedMessage&)> answer) {
    const auto fail = [&](const std::string& why) { answer({.client_id = "", .error = why}); };
    if (!segment.valid()) return fail("no descriptor came along");
    const auto uid = owner_of(segment.get());
    if (!uid) return fail(uid.error().message());
    if (*uid != by && by != 0 && by != ::geteuid()) return fail("it is another user's");
    const auto reader = ipc::SegmentReader::open(segment.get());
    if (!reader) return fail("it is no segment that can be read: " + reader.error().message());
    const auto owner = ipc::segment_owner(segment.get());
    if (!owner || *owner != -1) return fail("its process lives");
    const Key key(*uid, reader->client_id());
    if (const auto found = orphans.find(key); found != orphans.end()) {
      found->second->answers.push_back(std::move(answer));
      if (found->second->state != Orphan::State::delivered) deliver(key, found->second);
      return;
    }
    auto orphan = std::make_shared<Orphan>();
    orphan->uid = *uid;
    orphan->name = reader->client_id();
    orphan->segment = std::make_shared<const UniqueFd>(std::move(segment));
    orphan->answers.push_back(std::move(answer));
    orphans.emplace(key, orphan);
    deliver(key, orphan);
  }

  // ---- Delivery -----------------------------------------------------------------------------------------

  void deliver(const Key& key, const OrphanPtr& orphan) {
    orphan->death.reset();
    if (const auto locked = ipc::lock_segment(orphan->segment->get()); !locked) {
      if (locked.error() != Errc::endpoint_in_use) return give_up(key, orphan, locked.error());
      orphan->state = Orphan::State::looked_at;  // another delivers it
      return;
    }
    const auto reader = ipc::SegmentReader::open(orphan->segment->get());
    if (!reader) return give_up(key, orphan, reader.error());
    orphan->state = Orphan::State::delivered;
    orphan->outcome.client_id = reader->client_id();
    ++delivering;
    if (reader->adopted() != ipc::Adopted::no) return finish(key, orphan);
    Shard& shard = *shards[shard_of(orphan->uid, reader->client_id(), shards.size())];
    shard.fold(orphan->segment, orphan->uid, kFirstId + ++deliveries,
               [weak = weak_from_this(), key, orphan](const FoldOutcome& outcome) {
                 post_to(weak,
                         [key, orphan, outcome](State& state) { state.on_durable(key, orphan, outcome); });
               });
  }

  // From another thread, which may outlast this.
  template <class Job>
  static void post_to(const std::weak_ptr<State>& weak, Job job) {
    const auto state = weak.lock();
    if (state) asio::post(state->io, [raw = state.get(), job = std::move(job)] { job(*raw); });
  }

  void on_durable(const Key& key, const OrphanPtr& orphan, const FoldOutcome& outcome) {
    if (!outcome) {
      --delivering;
      return give_up(key, orphan, outcome.error());
    }
    orphan->outcome.records = *outcome;
    finish(key, orphan);
  }

  // All that it held is durable here; the files are next.
  void finish(const Key& key, const OrphanPtr& orphan) {
    --delivering;
    const int segment = orphan->segment->get();
    const auto reader = ipc::SegmentReader::open(segment);
    const Result<std::uint64_t> lines = reader ? complete(*reader, orphan->uid) : reader.error();
    orphan->outcome.whole = lines.has_value();
    orphan->outcome.file_lines = lines.has_value() ? *lines : 0;
    const auto marked = ipc::mark_adopted(segment, lines ? ipc::Adopted::wholly : ipc::Adopted::by_daemon);
    if (lines) {
      remove_name(*orphan);
      if (reader && orphan->name != reader->client_id()) remove_name_of(reader->client_id(), segment);
    } else {
      leave(orphan->name);
    }
    ++figures.segments;
    figures.records += orphan->outcome.records;
    figures.file_lines += orphan->outcome.file_lines;
    if (!lines) ++figures.unfinished;
    logger.info("delivered what a client left",
                {{"client_id", orphan->outcome.client_id},
                 {"uid", orphan->uid},
                 {"records", orphan->outcome.records},
                 {"file_lines", orphan->outcome.file_lines},
                 {"left", lines ? "" : "lines of its run's file: metricsctl export adds them"},
                 {"error", marked ? "" : marked.error().message()}});
    end(key, orphan);
  }

  // Nothing is to be done, or the file is one that we may write.
  static Result<std::uint64_t> complete(const ipc::SegmentReader& reader, uid_t uid) {
    if (reader.adopted() == ipc::Adopted::wholly || !ipc::may_lack_lines(reader)) return std::uint64_t{0};
    if (uid != ::geteuid()) return Errc::endpoint_untrusted;
    return ipc::complete_file(reader, reader.run().directory, uid);
  }

  void give_up(const Key& key, const OrphanPtr& orphan, const error_code& error) {
    refuse(orphan->uid, orphan->name, error);
    leave(orphan->name);
    orphan->outcome.error = error.message();
    end(key, orphan);
  }

  void end(const Key& key, const OrphanPtr& orphan) {
    for (const auto& answer : std::exchange(orphan->answers, {})) answer(orphan->outcome);
    if (is_current(key, orphan)) orphans.erase(key);
    publish();
    if (must_scan && delivering < kAtOnce) scan();
  }

  void remove_name(const Orphan& orphan) const { remove_name_of(orphan.name, orphan.segment->get()); }
  void remove_name_of(const std::string& name, int segment) const {
    if (options.directory.empty()) return;
    if (const auto directory = SegmentDirectory::open(options.directory)) directory->remove(name, segment);
  }

  // Is not looked at again.
  void leave(const std::string& name) {
    if (left.size() < kMostLeft) left.insert(name);
  }

  // ---- What is said -------------------------------------------------------------------------------------

  void refuse(uid_t uid, const std::string& name, const error_code& error) {
    ++figures.refused;
    note(uid, name, error.message());
  }

  void refuse_name(const std::string& name, const error_code& error) {
    if (left.contains(name)) return;
    leave(name);
    refuse(::geteuid(), name, error);
  }

  void note(uid_t uid, const std::string& name, std::string_view why) {
    const auto count = budget.spend("segment", clock.monotonic_ns());
    if (!count) return;
    logger.warning("a segment is left as it is",
                   {{"name", name}, {"uid", uid}, {"why", why}, {"count", *count}});
  }

  void publish() {
    figures.kept = orphans.size() - delivering;
    const std::lock_guard lock(published_mutex);
    published = figures;
  }

  const AdopterOptions options;
  const std::vector<std::unique_ptr<Shard>>& shards;
  const Clock& clock;
  Logger logger;
  LineBudget budget;

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer timer{io};
  std::thread thread;

  // The thread's.
  std::map<Key, OrphanPtr> orphans;
  std::set<std::string> left;  // names that are not looked at any more
  std::size_t delivering = 0;
  std::uint64_t deliveries = 0;
  unsigned looks = 0;
  bool must_scan = false;  // it ended before all were seen
  AdoptionFigures figures;

  mutable std::mutex published_mutex;
  AdoptionFigures published;  // guarded by published_mutex
};

Adopter::Adopter(AdopterOptions options, const std::vector<std::unique_ptr<Shard>>& shards,
                 const Clock& clock, Logger logger)
    : state_(std::make_shared<State>(std::move(options), shards, clock, std::move(logger))) {}

Adopter::~Adopter() {
  stop();
}

void Adopter::start() {
  asio::post(state_->io, [state = state_.get()] {
    state->scan();
    state->publish();
    state->look_now_and_then();
  });
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void Adopter::stop() {
  if (!state_->thread.joinable()) return;
  state_->io.stop();
  state_->thread.join();
}

// A handler must be copyable, a descriptor's owner is not.
SegmentIntake Adopter::intake() {
  return {.keep =
              [state = state_](uid_t uid, pid_t pid, std::string client_id, UniqueFd segment) {
                const auto shared = std::make_shared<UniqueFd>(std::move(segment));
                asio::post(state->io, [state = state.get(), uid, pid, client_id = std::move(client_id),
                                       shared] { state->keep(uid, pid, client_id, std::move(*shared)); });
              },
          .let_go =
              [state = state_](uid_t uid, std::string client_id) {
                asio::post(state->io, [state = state.get(), uid, client_id = std::move(client_id)] {
                  state->let_go(uid, client_id);
                });
              },
          .hand_in =
              [state = state_](UniqueFd segment, uid_t by, auto answer) {
                const auto shared = std::make_shared<UniqueFd>(std::move(segment));
                asio::post(state->io, [state = state.get(), by, shared, answer = std::move(answer)] {
                  state->hand_in(std::move(*shared), by, answer);
                });
              }};
}

AdoptionFigures Adopter::figures() const {
  const std::lock_guard lock(state_->published_mutex);
  return state_->published;
}

}  // namespace metricsd::server
