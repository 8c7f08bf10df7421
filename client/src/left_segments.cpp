#include "left_segments.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/endpoint.h>
#include <metricsd/ipc/passed_descriptor.h>
#include <metricsd/ipc/segment_layout.h>
#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/models/clock.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <set>
#include <system_error>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSeen = 65'536;  // names: a directory may be everybody's
constexpr std::size_t kMostSwept = 1000;
constexpr std::size_t kMostHandedIn = 64;  // by one process
constexpr std::int64_t kSettledSeconds = 5;
constexpr std::int64_t kAnswerNs = 60 * kNsPerSecond;  // of a daemon that is busy, or whose disk is
constexpr std::int64_t kPauseNs = kNsPerSecond;        // before it is asked again

std::optional<ipc::Adopted> adopted(int file) {
  std::uint64_t magic = 0;
  auto adopted = ipc::Adopted::no;
  const bool is_segment =
      ::pread(file, &magic, sizeof magic, offsetof(ipc::SegmentHeader, magic)) == sizeof magic &&
      magic == ipc::kSegmentMagic &&
      ::pread(file, &adopted, sizeof adopted, offsetof(ipc::SegmentHeader, adopted)) == sizeof adopted;
  return is_segment ? std::optional(adopted) : std::nullopt;
}

bool is_free(int file) {
  const auto owner = ipc::segment_owner(file);
  return owner && *owner == -1;
}

UniqueFd open_segment(int directory, const char* name) {
  return UniqueFd(::openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

// The files that this process has open, by device and inode.
std::set<std::pair<dev_t, ino_t>> own_files() {
  std::set<std::pair<dev_t, ino_t>> files;
  std::error_code error;
  for (fs::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat status {};
    if (::stat(entry->path().c_str(), &status) == 0) files.emplace(status.st_dev, status.st_ino);
  }
  return files;
}

// A lock of ours on a file goes with the first descriptor of it that we close: our own files, which another
// copy of this library may have made as well, are not opened here.
bool may_be_swept(int directory, const char* name, const std::set<std::pair<dev_t, ino_t>>& own) {
  struct stat status {};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && status.st_ctime + kSettledSeconds < ::time(nullptr) &&
         !own.contains({status.st_dev, status.st_ino});
}

}  // namespace

std::vector<std::string> sweep_segments(int directory, const std::string& path) {
  static std::atomic<std::uint64_t> swept{0};
  const std::uint64_t process = fork_guard::arm() + 1;
  std::vector<std::string> left;
  if (swept.exchange(process) == process) return left;
  const auto own = own_files();
  std::error_code error;
  std::size_t seen = 0;
  std::size_t looked_at = 0;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (++seen > kMostSeen || looked_at == kMostSwept) break;
    const std::string name = entry->path().filename();
    if (!may_be_swept(directory, name.c_str(), own)) continue;
    ++looked_at;
    const UniqueFd file = open_segment(directory, name.c_str());
    const auto what = file.valid() && is_free(file.get()) ? adopted(file.get()) : std::nullopt;
    if (what == ipc::Adopted::wholly) ::unlinkat(directory, name.c_str(), 0);
    if (what == ipc::Adopted::no && left.size() < kMostHandedIn) left.push_back(entry->path());
  }
  return left;
}

void LeftSegments::pump(const std::vector<fs::path>& daemons, uid_t own_uid, std::int64_t now_ns) {
  if (is_under_way()) {
    receive(now_ns);
  } else if (!paths_.empty() && now_ns >= next_ns_) {
    begin(daemons, own_uid, now_ns);
  }
}

// What was found may be gone by now, or another's.
void LeftSegments::begin(const std::vector<fs::path>& daemons, uid_t own_uid, std::int64_t now_ns) {
  segment_ = open_segment(AT_FDCWD, paths_.back().c_str());
  if (!segment_.valid() || !is_free(segment_.get()) || adopted(segment_.get()) != ipc::Adopted::no)
    return end();
  segment_closed_in_child_.emplace(segment_.get());
  auto connection = ipc::connect_to_daemon(daemons, own_uid);
  if (!connection) return end();
  connection_ = *std::move(connection);
  connection_closed_in_child_.emplace(connection_.get());
  answers_ = std::make_unique<ipc::Decoder>();
  deadline_ns_ = now_ns + kAnswerNs;
  if (!send()) end();
}

// The socket is new: it takes a line at once.
bool LeftSegments::send() {
  std::string line;
  ipc::encode(line, ipc::AdoptMessage{});
  const iovec part{line.data(), line.size()};
  return ipc::send_parts(connection_.get(), {&part, 1}, segment_.get()) == static_cast<ssize_t>(line.size());
}

void LeftSegments::receive(std::int64_t now_ns) {
  std::array<char, 4096> chunk;
  const ssize_t got = ::recv(connection_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    if (now_ns >= deadline_ns_) end();
    return;
  }
  if (got <= 0) return end();
  answers_->feed({chunk.data(), static_cast<std::size_t>(got)});
  if (answers_->next() != ipc::Decoder::Step::message) return;
  if (const auto* answer = std::get_if<ipc::AdoptedMessage>(&answers_->message()))
    handle(answer->error, now_ns);
}

void LeftSegments::handle(const std::string& error, std::int64_t now_ns) {
  const std::string path = paths_.back();
  const bool is_to_come_again = error == ipc::kAdoptionBusy;
  if (adopted(segment_.get()) == ipc::Adopted::wholly)
    static_cast<void>(ipc::remove_segment(AT_FDCWD, path.c_str(), segment_.get()));
  end();
  if (is_to_come_again) {
    paths_.push_back(path);
    next_ns_ = now_ns + kPauseNs;
  }
}

void LeftSegments::end() {
  connection_closed_in_child_.reset();
  segment_closed_in_child_.reset();
  connection_ = UniqueFd();
  segment_ = UniqueFd();
  paths_.pop_back();
}

}  // namespace metricsd::client
