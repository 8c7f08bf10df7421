#include <metricsd/exporters/file_sink.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace metricsd::exporters {
namespace {

constexpr std::size_t kBufferSize =
    std::size_t{256} * 1024;  // few system calls, and no more memory for many files
constexpr std::uint64_t kWriteOut = std::uint64_t{8} << 20;  // large enough for any disk

// `.name.PID.N.tmp` beside `path`: no other process and no other sink of this one asks for the same.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> next{0};
  std::string name(1, '.');
  name += path.filename().string();
  name += '.' + std::to_string(::getpid()) + '.' + std::to_string(next++) + ".tmp";
  return path.parent_path() / name;
}

error_code write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0) {
      return make_error_code(boost::system::errc::io_error);  // or this loop would never end
    } else if (errno != EINTR) {
      return last_system_error();
    }
  }
  return {};
}

// Has the disk begin with what was written, without waiting for it: it works while the next rows are made,
// and the fsync at the end finds little left to do. Only a help: where it fails, fsync tells.
void begin_writing_out(int fd, std::uint64_t offset, std::uint64_t size) {
  static_cast<void>(
      ::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE));
}

// Makes the renaming itself durable.
error_code sync_directory(const std::filesystem::path& directory) {
  const char* path = directory.empty() ? "." : directory.c_str();
  const UniqueFd fd(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return last_system_error();
  return {};
}

}  // namespace

FileSink::FileSink(std::filesystem::path path) : path_(std::move(path)) {
  // A process that was killed may have left a file behind whose number this one has been given again.
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts && !fd_.valid(); ++attempt) {
    temporary_ = temporary_name(path_);
    fd_ = UniqueFd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd_.valid() && errno != EEXIST) break;
  }
  if (!fd_.valid()) error_ = last_system_error();
}

FileSink::~FileSink() {
  if (fd_.valid()) discard();
}

void FileSink::write(std::string_view bytes) {
  if (error_) return;
  if (buffer_.size() + bytes.size() > kBufferSize) flush();
  if (bytes.size() >= kBufferSize) {
    write_through(bytes);
  } else {
    if (buffer_.capacity() < kBufferSize) buffer_.reserve(kBufferSize);
    buffer_ += bytes;
  }
}

Result<> FileSink::commit() {
  flush();
  // After a failed fsync the kernel may have dropped the pages and a second fsync would lie: it is called
  // once.
  if (!error_ && ::fsync(fd_.get()) != 0) error_ = last_system_error();
  if (!error_ && ::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = last_system_error();
  if (error_) {
    if (fd_.valid()) discard();
    return error_;
  }
  fd_ = UniqueFd();
  error_ = sync_directory(path_.parent_path());
  if (error_) return error_;
  return {};
}

void FileSink::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void FileSink::write_through(std::string_view bytes) {
  if (!error_) error_ = write_all(fd_.get(), bytes);
  if (error_) return;
  written_ += bytes.size();
  if (written_ - written_out_ < kWriteOut) return;
  begin_writing_out(fd_.get(), written_out_, written_ - written_out_);
  written_out_ = written_;
}

void FileSink::discard() {
  ::unlink(temporary_.c_str());
  fd_ = UniqueFd();
}

Result<> write_file(const std::filesystem::path& path, std::string_view bytes) {
  FileSink sink(path);
  sink.write(bytes);
  return sink.commit();
}

}  // namespace metricsd::exporters
