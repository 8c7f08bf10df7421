#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/line_splitter.h>
#include <metricsd/ipc/segment_lines.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>
#include <metricsd/models/unique_fd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

constexpr const char* kFileName = "operations.jsonl";
constexpr std::size_t kWriteSize = std::size_t{256} << 10;  // lines that gather before they are written
constexpr int kAttempts = 8;                                // of appends that were cut short

Result<bool> failed(const error_code& error) {
  return {boost::system::in_place_error, error};
}

// The file's descriptor to append to; none where there is no file.
Result<UniqueFd> open_file(const std::filesystem::path& directory, uid_t owner) {
  const auto path = directory / kFileName;
  UniqueFd file(::open(path.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid() && (errno == ENOENT || errno == ENOTDIR)) return file;
  if (!file.valid() && errno == ELOOP) return Errc::endpoint_untrusted;
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return last_system_error();
  if (!S_ISREG(status.st_mode) || status.st_uid != owner) return Errc::endpoint_untrusted;
  return file;
}

// Sizes of the file as it is now.
Result<std::uint64_t> size_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return last_system_error();
  return static_cast<std::uint64_t>(status.st_size);
}

template <class T>
Result<> write_at(int file, std::uint64_t offset, const T& value) {
  const ssize_t written = ::pwrite(file, &value, sizeof value, static_cast<off_t>(offset));
  if (written < 0) return last_system_error();
  return written == sizeof value ? Result<>() : Errc::corrupt_state;
}

// One passage over the file and the segment's lines.
class Completion {
 public:
  Completion(const SegmentReader& segment, const SegmentNames& names, int file)
      : lines_(segment, names), file_(file) {}

  // Passes over the lines that the file has, from byte `from` on: they appear there in their order, among
  // those of others.
  Result<> find_first_missing(std::uint64_t from) {
    if (const auto moved = advance(); !moved) return moved;
    LineSplitter lines(limits::kFileLine);
    std::vector<char> buffer(kWriteSize);
    while (has_line_) {
      const ssize_t got = ::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(from));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return last_system_error();
      if (got == 0 && !lines.has_partial_line()) return {};
      from += static_cast<std::uint64_t>(got);
      lines.feed(got == 0 ? "\n" : std::string_view(buffer.data(), static_cast<std::size_t>(got)));
      for (auto step = lines.next(); step != LineSplitter::Step::need_more; step = lines.next()) {
        if (step != LineSplitter::Step::line) continue;
        if (const auto passed = pass(lines.line()); !passed) return passed;
      }
    }
    return {};
  }

  // Appends the others. False where the last write was cut short: what it left is for the next passage to
  // see.
  Result<bool> append_rest() {
    std::string gathered;
    std::uint64_t count = 0;
    while (has_line_) {
      gathered += line_;
      ++count;
      if (const auto moved = advance(); !moved) return failed(moved.error());
      if (has_line_ && gathered.size() < kWriteSize) continue;
      const Result<bool> whole = write(gathered);
      if (!whole || !*whole) return whole;
      appended_ += std::exchange(count, 0);
      gathered.clear();
    }
    return true;
  }

  [[nodiscard]] std::uint64_t appended() const { return appended_; }

 private:
  Result<> advance() {
    if (!rescued_.empty()) {
      line_ = std::move(rescued_.front());
      rescued_.pop_front();
      return {};
    }
    const Result<bool> more = lines_.next(line_);
    if (!more) return more.error();
    has_line_ = *more;
    return {};
  }

  Result<> pass(std::string_view line) {
    if (!has_line_) return {};
    if (line.size() + 1 == line_.size() && line_.starts_with(line)) return advance();
    rescue(line);
    return {};
  }

  // Where our line was cut, that of another process may stand behind it: it is missing, too.
  void rescue(std::string_view line) {
    const auto common = static_cast<std::size_t>(
        std::mismatch(line.begin(), line.end(), line_.begin(), line_.end()).first - line.begin());
    for (std::size_t at = line.find('{', 1); at <= common; at = line.find('{', at + 1)) {
      const std::string_view others = line.substr(at);
      if (reader_.read(others, operation_) != OperationReader::Outcome::operation) continue;
      rescued_.push_front(std::exchange(line_, std::string(others) + '\n'));
      return;
    }
  }

  // Behind a line that was cut, or whose newline was, an empty one is no harm.
  Result<bool> write(const std::string& lines) {
    const auto size = size_of(file_);
    if (!size) return failed(size.error());
    char last = '\n';
    if (*size > 0 && ::pread(file_, &last, 1, static_cast<off_t>(*size - 1)) < 0) {
      return failed(last_system_error());
    }
    const std::string text = last == '\n' ? lines : '\n' + lines;
    ssize_t written = 0;
    do {
      written = ::write(file_, text.data(), text.size());
    } while (written < 0 && errno == EINTR);
    if (written < 0) return failed(last_system_error());
    return static_cast<std::size_t>(written) == text.size();
  }

  SegmentLines lines_;
  int file_;
  std::string line_;                 // the next one that was not met in the file
  std::deque<std::string> rescued_;  // those after it, before lines_ goes on
  OperationReader reader_;
  OperationView operation_;
  bool has_line_ = false;
  std::uint64_t appended_ = 0;
};

// From which byte on the file has lines that the segment does not know to be there.
Result<std::uint64_t> begin(const SegmentReader& segment, int file) {
  const SegmentAppend& append = *segment.append();
  const auto size = size_of(file);
  if (!size) return size;
  if (append.state == AppendState::appending || append.state == AppendState::completing) {
    return append.file_bytes <= *size ? append.file_bytes : 0;  // if it is another file by now: all of it
  }
  if (append.state == AppendState::gathering) {
    const auto none =
        write_at(segment.file(), append.block + offsetof(AppendBlock, spans_used), std::uint32_t{0});
    if (!none) return none.error();
  }
  const auto noted = write_at(segment.file(), append.block + offsetof(AppendBlock, file_bytes), *size);
  if (!noted) return noted.error();
  const auto marked =
      write_at(segment.file(), append.block + offsetof(AppendBlock, state), AppendState::completing);
  if (!marked) return marked.error();
  return *size;
}

}  // namespace

bool may_lack_lines(const SegmentReader& segment) {
  if (!segment.append() || segment.run().directory.empty()) return false;
  switch (segment.append()->state) {
    case AppendState::completed: return false;
    case AppendState::appending:
    case AppendState::completing: return true;
    case AppendState::gathering:
    case AppendState::settled: break;
  }
  for (const SegmentRing& ring : segment.rings()) {
    if (ring.head != ring.position.written_to) return true;
  }
  return false;
}

Result<std::uint64_t> complete_file(const SegmentReader& segment, const std::filesystem::path& directory,
                                    uid_t owner) {
  if (!may_lack_lines(segment)) return std::uint64_t{0};
  const auto file = open_file(directory, owner);
  if (!file) return file.error();
  const auto names = segment.read_names();
  if (!names) return names.error();
  std::uint64_t appended = 0;
  bool is_whole = !file->valid();
  const auto from = is_whole ? Result<std::uint64_t>(0) : begin(segment, file->get());
  if (!from) return from.error();
  for (int attempt = 0; !is_whole; ++attempt) {
    if (attempt == kAttempts) return error_code(ENOSPC, boost::system::system_category());
    Completion completion(segment, *names, file->get());
    if (const auto found = completion.find_first_missing(*from); !found) return found.error();
    const Result<bool> done = completion.append_rest();
    appended += completion.appended();
    if (!done) return done.error();
    is_whole = *done;
  }
  const auto marked = write_at(segment.file(), segment.append()->block + offsetof(AppendBlock, state),
                               AppendState::completed);
  if (!marked) return marked.error();
  return appended;
}

}  // namespace metricsd::ipc
