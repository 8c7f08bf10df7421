#include "run_recorder.h"

#include "line_queue.h"

#include <metricsd/exporters/run_export.h>
#include <metricsd/models/limits.h>

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace metricsd::client {
namespace {

constexpr std::size_t kAppendBytes = std::size_t{256} << 10;  // gathered before they are written
constexpr std::size_t kLongestLine = 2 * limits::kPlainLine;  // far more than the texts of a record come to

Loss loss_of(const error_code& error) {
  const int code = error.value();
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return full ? Loss::jsonl_disk_full : Loss::jsonl_io_error;
}

iovec part(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<UniqueFd> RunRecorder::open(const std::filesystem::path& directory) {
  const auto path = directory / exporters::kOperationsFile;
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.valid()) return last_system_error();
  return file;
}

RunRecorder::RunRecorder(UniqueFd file, LossLedger& losses, Segment& segment)
    : file_(std::move(file)),
      losses_(losses),
      mapping_(segment.add<ipc::AppendBlock>(ipc::BlockKind::append, 0,
                                             Segment::page_bytes() + kAppendBytes + kLongestLine)),
      block_(reinterpret_cast<ipc::AppendBlock*>(mapping_.address())),
      text_(reinterpret_cast<char*>(mapping_.address() + Segment::page_bytes())) {}

void RunRecorder::add(std::uint32_t stream, std::uint64_t ordinal, std::string_view line) noexcept {
  if (line.size() > kLongestLine) return losses_.add(Loss::jsonl_io_error, 1);
  ipc::AppendSpan* span = block_->spans_used == 0 ? nullptr : &block_->spans[block_->spans_used - 1];
  if (span == nullptr || span->stream != stream || span->first + span->lines != ordinal) {
    span = &block_->spans[block_->spans_used++];
    *span = {.stream = stream, .lines = 0, .first = ordinal};
  }
  ++span->lines;
  block_->text_bytes += line.copy(text_ + block_->text_bytes, line.size());
}

bool RunRecorder::is_full() const noexcept {
  return block_->text_bytes >= kAppendBytes || block_->spans_used == ipc::kAppendSpans;
}

std::string_view RunRecorder::text() const noexcept {
  return {text_, block_->text_bytes};
}

void RunRecorder::append() noexcept {
  if (text().empty()) return;
  struct stat status {};
  block_->file_bytes = ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  constexpr std::array<LossCount, 2> kMarked{{{Loss::jsonl_disk_full, 1}, {Loss::jsonl_io_error, 1}}};
  losses_.mark(kMarked, block_->marks);
  block_->state.store(ipc::AppendState::appending, std::memory_order_release);
  write(text());
  block_->state.store(ipc::AppendState::settled, std::memory_order_release);
}

void RunRecorder::done() noexcept {
  block_->state.store(ipc::AppendState::gathering, std::memory_order_release);
  block_->text_bytes = 0;
  block_->spans_used = 0;
}

void RunRecorder::write(std::string_view lines) noexcept {
  while (!lines.empty()) {
    const Result<std::string_view> left = write_some(lines);
    if (!left) {
      losses_.add(loss_of(left.error()), count_lines(lines));
      return;
    }
    lines = *left;
  }
}

Result<std::string_view> RunRecorder::write_some(std::string_view lines) {
  const std::string_view owed = torn_ ? "\n" : "";
  const std::array<iovec, 2> parts{part(owed), part(lines)};
  ssize_t result = 0;
  do {
    result = ::writev(file_.get(), parts.data(), static_cast<int>(parts.size()));
  } while (result < 0 && errno == EINTR);
  if (result < 0) {
    const error_code error = last_system_error();
    torn_ = true;  // where this one is refused, another process's line may have been cut
    return error;
  }
  if (result == 0) return error_code(EIO, boost::system::system_category());

  const std::size_t written = static_cast<std::size_t>(result) - owed.size();
  const bool only_newline_missing = written < lines.size() && written > 0 && lines[written] == '\n';
  torn_ = written > 0 && lines[written - 1] != '\n';
  // A line without its newline is whole once the next append begins with it: writing it again would double
  // it.
  const std::size_t done = only_newline_missing ? written + 1 : lines.substr(0, written).rfind('\n') + 1;
  return lines.substr(done);
}

}  // namespace metricsd::client
