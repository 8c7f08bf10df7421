#include "run_membership.h"

#include "fork_guard.h"

#include <metricsd/exporters/member_record.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/unique_fd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr off_t kGateByte = 0;
constexpr off_t kMemberByte = 1;
constexpr std::chrono::milliseconds kPoll{5};

constexpr auto kBusy = boost::system::errc::resource_unavailable_try_again;

using DirectoryKey = std::pair<dev_t, ino_t>;

struct flock byte_lock(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

// Where another process is in the way: resource_unavailable_try_again.
error_code try_lock(int fd, short type, off_t byte) {
  struct flock lock = byte_lock(type, byte);
  while (::fcntl(fd, F_SETLK, &lock) != 0) {
    if (errno == EACCES || errno == EAGAIN) return make_error_code(kBusy);
    if (errno != EINTR) return last_system_error();
  }
  return {};
}

Result<Departure> look_for_members(int fd) {
  struct flock lock = byte_lock(F_WRLCK, kMemberByte);
  if (::fcntl(fd, F_GETLK, &lock) != 0) return last_system_error();
  return lock.l_type == F_UNLCK ? Departure::last : Departure::others_remain;
}

}  // namespace

// The one descriptor that this process has of a run's members' file.
struct RunMembership::MembersFile {
  MembersFile(UniqueFd descriptor, DirectoryKey directory) : fd(std::move(descriptor)), key(directory) {}

  UniqueFd fd;
  const DirectoryKey key;
  std::size_t parts = 0;    // collectors that have it open; guarded by the table's mutex
  std::size_t members = 0;  // those of them that have not left; likewise
  // Held by one of this process's collectors: a POSIX lock keeps nobody of the same process out.
  std::atomic<bool> gate_taken{false};
};

// The process's open members' files. A forked child begins with an empty one: what it inherits is the
// parent's, and the locks are not its own. The inherited table is left as it lies, since another thread may
// have been changing it.
class RunMembership::Table {
 public:
  static Table& of_process() {
    static std::atomic<Table*> current{nullptr};
    const std::uint64_t generation = fork_guard::arm();
    Table* table = current.load(std::memory_order_acquire);
    while (table == nullptr || table->generation_ != generation) {
      auto fresh = std::make_unique<Table>(generation);
      if (current.compare_exchange_strong(table, fresh.get(), std::memory_order_acq_rel))
        return *fresh.release();
    }
    return *table;
  }

  explicit Table(std::uint64_t generation) : generation_(generation) {}

  Result<std::shared_ptr<MembersFile>> enter(const std::filesystem::path& directory) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return last_system_error();
    const DirectoryKey key{status.st_dev, status.st_ino};
    const std::lock_guard lock(mutex_);
    std::shared_ptr<MembersFile>& file = files_[key];
    if (!file) {
      const auto path = directory / exporters::kMembersFile;
      UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
      if (!fd.valid()) return forget(key, last_system_error());
      file = std::make_shared<MembersFile>(std::move(fd), key);
    }
    if (file->members == 0) {
      const error_code error = try_lock(file->fd.get(), F_RDLCK, kMemberByte);
      if (error && file->parts == 0) return forget(key, error);
      if (error) return error;
    }
    ++file->members;
    ++file->parts;
    return file;
  }

  // True where it was the process's last member; the lock is then given up.
  bool leave(MembersFile& file) {
    const std::lock_guard lock(mutex_);
    if (--file.members > 0) return false;
    static_cast<void>(try_lock(file.fd.get(), F_UNLCK, kMemberByte));
    return true;
  }

  // The descriptor closes under the mutex: closing it later would drop the locks of one opened anew.
  void close(std::shared_ptr<MembersFile> file) {
    const std::lock_guard lock(mutex_);
    if (--file->parts == 0) files_.erase(file->key);
    file.reset();
  }

 private:
  error_code forget(const DirectoryKey& key, error_code error) {
    files_.erase(key);
    return error;
  }

  const std::uint64_t generation_;
  std::mutex mutex_;
  std::map<DirectoryKey, std::shared_ptr<MembersFile>> files_;  // guarded by mutex_
};

Result<RunMembership> RunMembership::enter(const std::filesystem::path& directory) {
  auto file = Table::of_process().enter(directory);
  if (!file) return file.error();
  return RunMembership(std::move(*file));
}

RunMembership::RunMembership(std::shared_ptr<MembersFile> file) : file_(std::move(file)) {}

RunMembership::RunMembership(RunMembership&& other) noexcept
    : file_(std::move(other.file_)), member_(other.member_), has_gate_(other.has_gate_) {}

RunMembership::~RunMembership() {
  if (!file_) return;
  if (member_) static_cast<void>(Table::of_process().leave(*file_));
  close_gate();
  Table::of_process().close(std::move(file_));
}

Result<> RunMembership::append(std::string_view line) {
  const ssize_t written = ::write(file_->fd.get(), line.data(), line.size());
  if (written < 0) return last_system_error();
  if (static_cast<std::size_t>(written) == line.size()) return {};
  static_cast<void>(!::write(file_->fd.get(), "\n", 1));  // so that the next member's line stands alone
  return error_code(ENOSPC, boost::system::system_category());
}

Result<std::string> RunMembership::read() const {
  std::string content;
  char chunk[16 * 1024];
  while (content.size() < limits::kMembersFile) {
    const ssize_t got = ::pread(file_->fd.get(), chunk, sizeof chunk, static_cast<off_t>(content.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_system_error();
    if (got == 0) break;
    content.append(chunk, static_cast<std::size_t>(got));
  }
  return content;
}

Result<Departure> RunMembership::leave(std::int64_t timeout_ns) {
  if (const error_code error = take_gate(timeout_ns)) return error;
  member_ = false;
  auto departure = Result<Departure>(Departure::others_remain);
  if (Table::of_process().leave(*file_)) departure = look_for_members(file_->fd.get());
  if (departure != Departure::last) close_gate();
  return departure;
}

error_code RunMembership::take_gate(std::int64_t timeout_ns) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout_ns);
  while (true) {
    if (!has_gate_) has_gate_ = !file_->gate_taken.exchange(true, std::memory_order_acquire);
    const error_code error =
        has_gate_ ? try_lock(file_->fd.get(), F_WRLCK, kGateByte) : make_error_code(kBusy);
    if (error != kBusy) return error;
    if (std::chrono::steady_clock::now() >= deadline) return Errc::timed_out;
    std::this_thread::sleep_for(kPoll);
  }
}

void RunMembership::close_gate() noexcept {
  if (!std::exchange(has_gate_, false)) return;
  static_cast<void>(try_lock(file_->fd.get(), F_UNLCK, kGateByte));
  file_->gate_taken.store(false, std::memory_order_release);
}

}  // namespace metricsd::client
