#include <metricsd/exporters/jsonl_reader.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>
#include <metricsd/models/unique_fd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::exporters {
namespace {

// The lines of a file through a buffer of fixed size. A line longer than limits::kFileLine is skipped and
// counted.
class LineReader {
 public:
  explicit LineReader(UniqueFd file) : file_(std::move(file)), buffer_(2 * limits::kFileLine) {}

  // A line without its newline, valid until the next call; nothing at the end of the file.
  [[nodiscard]] Result<std::optional<std::string_view>> next() {
    while (true) {
      if (const auto line = take_line()) return line;
      if (at_end_) return take_rest();
      if (end_ - begin_ > limits::kFileLine) skip_what_is_there();
      if (const Result<> filled = fill(); !filled) return filled.error();
    }
  }

  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  // The next whole line in the buffer, the tail of one that is being skipped aside.
  std::optional<std::string_view> take_line() {
    while (true) {
      char* const start = buffer_.data() + begin_;
      const void* newline = std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_);
      if (newline == nullptr) {
        scanned_ = end_;
        return std::nullopt;
      }
      const auto size = static_cast<std::size_t>(static_cast<const char*>(newline) - start);
      begin_ += size + 1;
      scanned_ = begin_;
      if (!std::exchange(skipping_, false) && !is_too_long(size)) return std::string_view(start, size);
    }
  }

  // What stands behind the last newline.
  std::optional<std::string_view> take_rest() {
    const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
    begin_ = scanned_ = end_;
    if (rest.empty() || skipping_ || is_too_long(rest.size())) return std::nullopt;
    return rest;
  }

  bool is_too_long(std::size_t size) {
    if (size <= limits::kFileLine) return false;
    ++too_long_;
    return true;
  }

  void skip_what_is_there() {
    if (!std::exchange(skipping_, true)) ++too_long_;
    begin_ = end_;
  }

  Result<> fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    scanned_ = end_;
    ssize_t got = 0;
    do {
      got = ::read(file_.get(), buffer_.data() + end_, std::min(buffer_.size() - end_, kChunk));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return last_system_error();
    end_ += static_cast<std::size_t>(got);
    bytes_read_ += static_cast<std::uint64_t>(got);
    at_end_ = got == 0;
    return {};
  }

  static constexpr std::size_t kChunk = std::size_t{256} << 10;  // read at once: it stays in the cache

  UniqueFd file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // of what has not been given out
  std::size_t scanned_ = 0;  // no newline between begin_ and here
  std::size_t end_ = 0;      // of what has been read
  bool skipping_ = false;    // to the newline of an over-long line
  bool at_end_ = false;
  std::uint64_t too_long_ = 0;
  std::uint64_t bytes_read_ = 0;
};

std::uint64_t size_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

struct JsonlReader::State {
  explicit State(UniqueFd file) : bytes_in_all(size_of(file.get())), lines(std::move(file)) {}

  const std::uint64_t bytes_in_all;
  LineReader lines;
  OperationReader operations;
  std::string_view line;
  std::uint64_t refused = 0;
};

Result<JsonlReader> JsonlReader::open(const std::filesystem::path& path) {
  UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a pipe without a writer must not hold us
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return last_system_error();
  if (!S_ISREG(status.st_mode)) return make_error_code(boost::system::errc::not_supported);
  return JsonlReader(std::make_unique<State>(std::move(file)));
}

JsonlReader::JsonlReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonlReader::JsonlReader(JsonlReader&&) noexcept = default;
JsonlReader& JsonlReader::operator=(JsonlReader&&) noexcept = default;
JsonlReader::~JsonlReader() = default;

Result<bool> JsonlReader::next(OperationView& out) {
  while (true) {
    const auto line = state_->lines.next();
    if (!line) return {boost::system::in_place_error, line.error()};
    if (!*line) return false;
    if ((*line)->empty() || **line == "\r") continue;
    state_->line = **line;
    if (state_->operations.read(**line, out) == OperationReader::Outcome::operation) return true;
    ++state_->refused;
  }
}

std::string_view JsonlReader::line() const {
  return state_->line;
}
std::uint64_t JsonlReader::bad_lines() const {
  return state_->refused + state_->lines.too_long();
}
std::uint64_t JsonlReader::bytes_read() const {
  return state_->lines.bytes_read();
}
std::uint64_t JsonlReader::bytes_in_all() const {
  return state_->bytes_in_all;
}

}  // namespace metricsd::exporters
