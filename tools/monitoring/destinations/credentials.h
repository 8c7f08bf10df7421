// A user and a password from a file of two lines that nobody else can read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace metricsd::tools {

struct Credentials {
  std::string user;
  std::string password;  // may be empty
};

// Nothing, and why in one line, where the file is not a regular one of ours or root's with no permission for
// anybody else, or does not hold a user.
[[nodiscard]] std::optional<Credentials> read_credentials(const std::filesystem::path& path,
                                                          std::string& why);

}  // namespace metricsd::tools
