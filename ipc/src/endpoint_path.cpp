#include <metricsd/ipc/endpoint_path.h>

#include <cstdlib>
#include <string>
#include <utility>

#include <unistd.h>

namespace metricsd::ipc {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSystemPath = "/run/metricsd/metricsd.sock";
constexpr std::string_view kSocketName = "metricsd.sock";
constexpr std::string_view kSegmentsName = "segments";

std::optional<std::string> non_empty(const Environment& environment, std::string_view name) {
  auto value = environment.variable(name);
  return value && !value->empty() ? std::move(value) : std::nullopt;
}

// The flag, or the variable that stands for it.
std::optional<fs::path> told_path(std::string_view told, const Environment& environment) {
  if (!told.empty()) return fs::path(told);
  return non_empty(environment, "METRICSD_SOCKET");
}

// What a service manager made for us: a list separated by colons (systemd.exec(5)), of which the first is
// meant.
std::optional<fs::path> service_path(const Environment& environment) {
  const auto directories = non_empty(environment, "RUNTIME_DIRECTORY");
  if (!directories) return std::nullopt;
  return fs::path(directories->substr(0, directories->find(':'))) / kSocketName;
}

// A relative directory is invalid and has to be ignored (XDG Base Directory Specification 0.8).
std::optional<fs::path> xdg_path(const Environment& environment) {
  const auto directory = non_empty(environment, "XDG_RUNTIME_DIR");
  if (!directory || !fs::path(*directory).is_absolute()) return std::nullopt;
  return fs::path(*directory) / "metricsd" / kSocketName;
}

std::string user_name(const Environment& environment) {
  return "metricsd-" + std::to_string(environment.uid);
}

fs::path fallback_path(const Environment& environment) {
  return fs::path("/tmp") / user_name(environment) / kSocketName;
}

// Where a daemon of this user listens if nobody tells it where.
std::vector<fs::path> own_paths(const Environment& environment) {
  std::vector<fs::path> paths;
  if (environment.uid == 0) paths.emplace_back(kSystemPath);
  if (auto path = xdg_path(environment)) paths.push_back(*std::move(path));
  paths.push_back(fallback_path(environment));
  return paths;
}

// Where it listens in an environment that says nothing at all, as that of a container.
fs::path plain_path(const Environment& environment) {
  return environment.uid == 0 ? fs::path(kSystemPath) : fallback_path(environment);
}

// A tmpfs also where the others are none.
fs::path shared_memory_directory(const Environment& environment) {
  return fs::path("/dev/shm") / user_name(environment) / kSegmentsName;
}

}  // namespace

Environment Environment::of_process() {
  const auto variable = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return {variable, ::geteuid()};
}

fs::path listen_path(std::string_view told, const Environment& environment) {
  if (auto path = told_path(told, environment)) return *std::move(path);
  if (auto path = service_path(environment)) return *std::move(path);
  if (environment.uid == 0) return plain_path(environment);
  return xdg_path(environment).value_or(plain_path(environment));
}

std::vector<fs::path> connect_paths(std::string_view told, const Environment& environment) {
  if (auto path = told_path(told, environment)) return {*std::move(path)};
  std::vector<fs::path> paths;
  if (auto path = xdg_path(environment)) paths.push_back(*std::move(path));
  paths.push_back(fallback_path(environment));
  paths.emplace_back(kSystemPath);
  return paths;
}

fs::path segment_directory(const fs::path& socket) {
  return socket.parent_path() / kSegmentsName;
}

std::vector<fs::path> segment_directories_of(const fs::path& socket, const Environment& environment) {
  std::vector<fs::path> directories{segment_directory(socket)};
  if (socket == plain_path(environment)) directories.push_back(shared_memory_directory(environment));
  return directories;
}

std::vector<fs::path> segment_directories(std::string_view told, const Environment& environment) {
  if (const auto path = told_path(told, environment)) return segment_directories_of(*path, environment);
  std::vector<fs::path> directories;
  for (const fs::path& path : own_paths(environment)) directories.push_back(segment_directory(path));
  if (environment.uid != 0) directories.push_back(segment_directory(kSystemPath));  // root has it already
  directories.push_back(shared_memory_directory(environment));
  return directories;
}

}  // namespace metricsd::ipc
