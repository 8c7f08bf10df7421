#include "credentials.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>
#include <metricsd/models/utf8.h>

#include <array>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::size_t kLongest = 8192;  // bytes of the file

// "" or what is wrong with who may read the file.
std::string fault_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_system_error().message();
  if (!S_ISREG(status.st_mode)) return "is no regular file";
  if (status.st_uid != ::geteuid() && status.st_uid != 0) return "belongs to another user";
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return "can be read by others: chmod 600";
  return {};
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::optional<Credentials> read_credentials(const std::filesystem::path& path, std::string& why) {
  const auto refuse = [&](const std::string& reason) {
    why = path.string() + ": " + reason;
    return std::nullopt;
  };
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO does not keep us
  if (!fd.valid()) return refuse(last_system_error().message());
  if (const std::string fault = fault_of(fd.get()); !fault.empty()) return refuse(fault);
  std::array<char, kLongest> bytes{};
  const ssize_t size = ::read(fd.get(), bytes.data(), bytes.size());
  if (size < 0) return refuse(last_system_error().message());
  std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  Credentials credentials;
  credentials.user = take_line(text);
  credentials.password = take_line(text);
  if (credentials.user.empty() || !text.empty())
    return refuse("is not a line with the user and one with the password");
  if (!is_valid_utf8(credentials.user) || credentials.user.find('\0') != std::string::npos) {
    return refuse("the user is no UTF-8");
  }
  return credentials;
}

}  // namespace metricsd::tools
