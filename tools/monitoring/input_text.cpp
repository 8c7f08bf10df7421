#include "input_text.h"

#include <metricsd/models/unique_fd.h>

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

std::nullopt_t failed(std::error_code& error, int number) {
  error = {number, std::generic_category()};
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_input(const std::filesystem::path& path, std::size_t max_size,
                                      std::error_code& error) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return failed(error, errno);
  std::string text;
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got == 0) return text;
    if (got > 0) {
      text.append(block.data(), static_cast<std::size_t>(got));
      if (text.size() > max_size) return failed(error, EFBIG);
    } else if (errno == EAGAIN) {
      pollfd readable{file.get(), POLLIN, 0};  // there is a writer, who has not written yet
      ::poll(&readable, 1, -1);
    } else if (errno != EINTR) {
      return failed(error, errno);
    }
  }
}

}  // namespace metricsd::tools
