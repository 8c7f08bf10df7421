#include "run_recorder.h"

#include "line_queue.h"

#include <metricsd/exporters/run_export.h>

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/uio.h>

namespace metricsd::client {
namespace {

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

void RunRecorder::append(std::string_view lines) {
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
