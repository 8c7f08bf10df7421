// A library to preload (LD_PRELOAD): makes chosen calls of chosen system calls fail, and moves the wall
// clock, of a process that knows nothing of it.
//
// $METRICSD_TORTURE_FAULTS names a file that tools/torture (tools/torturing/faults.py) made and writes to
// while the process runs; without it nothing fails. All numbers are little endian:
//
//   u64 magic; i64 clock_offset_ns; u64 entries; then the entries:
//   char call[16]; u64 calls; u64 fail_from; u64 fail_until; i32 error; u32 regular_files_only;
//
// The n-th call since the file was made fails where fail_from <= n < fail_until, with errno `error`, and does
// nothing. Only calls through the C library are seen: those that it makes itself (stdio's) are not.

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr std::uint64_t kMagic = 0x73746c75'6166726f;  // "orfaults"
constexpr std::size_t kMostEntries = 64;

struct Entry {
  char call[16];
  std::atomic<std::uint64_t> calls;
  std::atomic<std::uint64_t> fail_from;
  std::atomic<std::uint64_t> fail_until;
  std::atomic<std::int32_t> error;
  std::atomic<std::uint32_t> regular_files_only;
};
static_assert(sizeof(Entry) == 48);

struct Control {
  std::uint64_t magic;
  std::atomic<std::int64_t> clock_offset_ns;
  std::uint64_t entries;
  std::array<Entry, kMostEntries> entry;
};

// The calls that can be made to fail, by the names they have in the file.
enum Call : std::size_t {
  kOpen,
  kRead,
  kPread,
  kWrite,
  kPwrite,
  kFsync,
  kFtruncate,
  kFallocate,
  kRename,
  kUnlink,
  kMkdir,
  kAccept,
  kSocket,
  kConnect,
  kRecv,
  kRecvmsg,
  kSend,
  kSendmsg,
  kEpollCtl,
  kEventfd,
  kMmap,
  kCalls
};
constexpr std::array<std::string_view, kCalls> kNames{
    "open",      "read",    "pread",  "write",   "pwrite",    "fsync",   "ftruncate",
    "fallocate", "rename",  "unlink", "mkdir",   "accept",    "socket",  "connect",
    "recv",      "recvmsg", "send",   "sendmsg", "epoll_ctl", "eventfd", "mmap"};

std::atomic<Control*> control{nullptr};
std::array<Entry*, kCalls> entries{};  // null where the file names no such call

// The C library's own.
template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
#define METRICSD_REAL(name) static auto* const real_##name = real<decltype(::name)>(#name)
#define METRICSD_WRAPPER extern "C" __attribute__((visibility("default")))

Control* map_control() {
  METRICSD_REAL(open);
  METRICSD_REAL(mmap);
  const char* const path = std::getenv("METRICSD_TORTURE_FAULTS");
  if (path == nullptr) return nullptr;
  const int fd = real_open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const memory = real_mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  auto* const mapped = memory == MAP_FAILED ? nullptr : static_cast<Control*>(memory);
  return mapped != nullptr && mapped->magic == kMagic ? mapped : nullptr;
}

__attribute__((constructor)) void start() {
  Control* const mapped = map_control();
  if (mapped == nullptr) return;
  for (std::size_t i = 0; i < std::min<std::size_t>(mapped->entries, kMostEntries); ++i) {
    Entry& entry = mapped->entry[i];
    const std::string_view name(entry.call, ::strnlen(entry.call, sizeof entry.call));
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found != kNames.end()) entries[static_cast<std::size_t>(found - kNames.begin())] = &entry;
  }
  control = mapped;
}

bool is_regular(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

constexpr int kNoFd = -1;

// Counts the call; true where it must fail: errno says how.
bool fails(Call call, int fd = kNoFd) {
  if (control.load(std::memory_order_acquire) == nullptr || entries[call] == nullptr) return false;
  Entry& entry = *entries[call];
  if (fd != kNoFd && entry.regular_files_only != 0 && !is_regular(fd)) return false;
  const std::uint64_t number = entry.calls.fetch_add(1) + 1;
  if (number < entry.fail_from || number >= entry.fail_until) return false;
  errno = entry.error;
  return true;
}

std::int64_t clock_offset_ns() {
  const Control* const mapped = control.load(std::memory_order_acquire);
  return mapped == nullptr ? 0 : mapped->clock_offset_ns.load();
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) == 0 ? 0 : va_arg(arguments, mode_t);
}

}  // namespace

METRICSD_WRAPPER int open(const char* path, int flags, ...) {
  METRICSD_REAL(open);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return fails(kOpen) ? -1 : real_open(path, flags, mode);
}

METRICSD_WRAPPER int openat(int directory, const char* path, int flags, ...) {
  METRICSD_REAL(openat);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return fails(kOpen) ? -1 : real_openat(directory, path, flags, mode);
}

METRICSD_WRAPPER ssize_t read(int fd, void* to, size_t size) {
  METRICSD_REAL(read);
  return fails(kRead, fd) ? -1 : real_read(fd, to, size);
}

METRICSD_WRAPPER ssize_t pread(int fd, void* to, size_t size, off_t at) {
  METRICSD_REAL(pread);
  return fails(kPread, fd) ? -1 : real_pread(fd, to, size, at);
}

METRICSD_WRAPPER ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
  METRICSD_REAL(pread64);
  return fails(kPread, fd) ? -1 : real_pread64(fd, to, size, at);
}

METRICSD_WRAPPER ssize_t write(int fd, const void* from, size_t size) {
  METRICSD_REAL(write);
  return fails(kWrite, fd) ? -1 : real_write(fd, from, size);
}

METRICSD_WRAPPER ssize_t writev(int fd, const iovec* parts, int count) {
  METRICSD_REAL(writev);
  return fails(kWrite, fd) ? -1 : real_writev(fd, parts, count);
}

METRICSD_WRAPPER ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
  METRICSD_REAL(pwrite);
  return fails(kPwrite, fd) ? -1 : real_pwrite(fd, from, size, at);
}

METRICSD_WRAPPER ssize_t pwrite64(int fd, const void* from, size_t size, off64_t at) {
  METRICSD_REAL(pwrite64);
  return fails(kPwrite, fd) ? -1 : real_pwrite64(fd, from, size, at);
}

METRICSD_WRAPPER int fsync(int fd) {
  METRICSD_REAL(fsync);
  return fails(kFsync, fd) ? -1 : real_fsync(fd);
}

METRICSD_WRAPPER int fdatasync(int fd) {
  METRICSD_REAL(fdatasync);
  return fails(kFsync, fd) ? -1 : real_fdatasync(fd);
}

METRICSD_WRAPPER int ftruncate(int fd, off_t size) noexcept {
  METRICSD_REAL(ftruncate);
  return fails(kFtruncate, fd) ? -1 : real_ftruncate(fd, size);
}

METRICSD_WRAPPER int ftruncate64(int fd, off64_t size) noexcept {
  METRICSD_REAL(ftruncate64);
  return fails(kFtruncate, fd) ? -1 : real_ftruncate64(fd, size);
}

METRICSD_WRAPPER int fallocate(int fd, int mode, off_t at, off_t size) {
  METRICSD_REAL(fallocate);
  return fails(kFallocate, fd) ? -1 : real_fallocate(fd, mode, at, size);
}

METRICSD_WRAPPER int posix_fallocate(int fd, off_t at, off_t size) {
  METRICSD_REAL(posix_fallocate);
  return fails(kFallocate, fd) ? errno : real_posix_fallocate(fd, at, size);
}

METRICSD_WRAPPER int rename(const char* from, const char* to) noexcept {
  METRICSD_REAL(rename);
  return fails(kRename) ? -1 : real_rename(from, to);
}

METRICSD_WRAPPER int renameat(int from_directory, const char* from, int to_directory,
                              const char* to) noexcept {
  METRICSD_REAL(renameat);
  return fails(kRename) ? -1 : real_renameat(from_directory, from, to_directory, to);
}

METRICSD_WRAPPER int unlink(const char* path) noexcept {
  METRICSD_REAL(unlink);
  return fails(kUnlink) ? -1 : real_unlink(path);
}

METRICSD_WRAPPER int unlinkat(int directory, const char* path, int flags) noexcept {
  METRICSD_REAL(unlinkat);
  return fails(kUnlink) ? -1 : real_unlinkat(directory, path, flags);
}

METRICSD_WRAPPER int mkdir(const char* path, mode_t mode) noexcept {
  METRICSD_REAL(mkdir);
  return fails(kMkdir) ? -1 : real_mkdir(path, mode);
}

METRICSD_WRAPPER int accept(int fd, sockaddr* address, socklen_t* size) {
  METRICSD_REAL(accept);
  return fails(kAccept) ? -1 : real_accept(fd, address, size);
}

METRICSD_WRAPPER int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  METRICSD_REAL(accept4);
  return fails(kAccept) ? -1 : real_accept4(fd, address, size, flags);
}

METRICSD_WRAPPER int socket(int domain, int type, int protocol) noexcept {
  METRICSD_REAL(socket);
  return fails(kSocket) ? -1 : real_socket(domain, type, protocol);
}

METRICSD_WRAPPER int connect(int fd, const sockaddr* address, socklen_t size) {
  METRICSD_REAL(connect);
  return fails(kConnect) ? -1 : real_connect(fd, address, size);
}

METRICSD_WRAPPER ssize_t recv(int fd, void* to, size_t size, int flags) {
  METRICSD_REAL(recv);
  return fails(kRecv) ? -1 : real_recv(fd, to, size, flags);
}

METRICSD_WRAPPER ssize_t recvmsg(int fd, msghdr* message, int flags) {
  METRICSD_REAL(recvmsg);
  return fails(kRecvmsg) ? -1 : real_recvmsg(fd, message, flags);
}

METRICSD_WRAPPER ssize_t send(int fd, const void* from, size_t size, int flags) {
  METRICSD_REAL(send);
  return fails(kSend) ? -1 : real_send(fd, from, size, flags);
}

METRICSD_WRAPPER ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  METRICSD_REAL(sendmsg);
  return fails(kSendmsg) ? -1 : real_sendmsg(fd, message, flags);
}

METRICSD_WRAPPER int epoll_ctl(int set, int operation, int fd, epoll_event* event) noexcept {
  METRICSD_REAL(epoll_ctl);
  // Only for a new one the kernel needs what may be wanting; Asio wakes its threads by changing one.
  if (operation == EPOLL_CTL_ADD && fails(kEpollCtl)) return -1;
  return real_epoll_ctl(set, operation, fd, event);
}

METRICSD_WRAPPER int eventfd(unsigned value, int flags) noexcept {
  METRICSD_REAL(eventfd);
  return fails(kEventfd) ? -1 : real_eventfd(value, flags);
}

// Of files: malloc's own calls do not come through here.
METRICSD_WRAPPER void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  METRICSD_REAL(mmap);
  if (fd >= 0 && fails(kMmap)) return MAP_FAILED;
  return real_mmap(at, size, protection, flags, fd, offset);
}

METRICSD_WRAPPER int clock_gettime(clockid_t clock, timespec* time) noexcept {
  METRICSD_REAL(clock_gettime);
  const int result = real_clock_gettime(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    time->tv_sec += clock_offset_ns() / 1'000'000'000;
  }
  return result;
}

METRICSD_WRAPPER int gettimeofday(timeval* time, void* zone) noexcept {
  METRICSD_REAL(gettimeofday);
  const int result = real_gettimeofday(time, zone);
  if (result == 0) time->tv_sec += clock_offset_ns() / 1'000'000'000;
  return result;
}

METRICSD_WRAPPER time_t time(time_t* out) noexcept {
  METRICSD_REAL(time);
  const time_t now = real_time(nullptr) + clock_offset_ns() / 1'000'000'000;
  if (out != nullptr) *out = now;
  return now;
}
