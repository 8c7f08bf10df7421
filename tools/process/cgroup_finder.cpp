#include "cgroup_finder.h"

#include "mountinfo.h"
#include "pid_cgroup.h"
#include "text_scanner.h"

#include <utility>

namespace metricsd::tools {

namespace {

// `path` within the hierarchy as a directory, where what is mounted reaches it.
std::optional<CgroupDirectory> locate(std::string_view root, const std::string& point,
                                      std::string_view path) {
  if (path.find("/..") != std::string_view::npos) return std::nullopt;  // outside of our cgroup namespace
  if (root != "/") {
    if (!path.starts_with(root)) return std::nullopt;
    path.remove_prefix(root.size());
    if (!path.empty() && path.front() != '/') return std::nullopt;
  }
  if (path == "/") path = {};
  return CgroupDirectory{point + std::string(path), point.size()};
}

}  // namespace

CgroupFinder::CgroupFinder(const Roots& roots) : proc_(roots.proc) {
  const auto text = proc_.read("self/mountinfo");
  if (!text) return;
  TextScanner scanner(*text);
  do {
    add_mount(scanner.rest_of_line(), roots);
  } while (scanner.next_line());
}

void CgroupFinder::add_mount(std::string_view line, const Roots& roots) {
  const auto mount = decode_mount(line);
  if (!mount || (mount->type != "cgroup" && mount->type != "cgroup2")) return;
  const std::filesystem::path point = roots.mounts / std::filesystem::path(mount->point).relative_path();
  hierarchies_.push_back(
      {mount->root, point.string(), std::string(mount->options), mount->type == "cgroup2"});
}

CgroupDirectories CgroupFinder::find(std::string_view process) {
  CgroupDirectories found;
  const auto text = proc_.read((std::string(process) + "/cgroup").c_str());
  if (!text) return found;
  const auto take = [&](const Hierarchy& hierarchy, std::string_view controller,
                        std::optional<CgroupDirectory>& directory) {
    if (directory || !has_word(hierarchy.controllers, controller)) return;
    if (const auto path = group_of(*text, controller))
      directory = locate(hierarchy.root, hierarchy.point, *path);
  };
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (!hierarchy.is_unified) {
      take(hierarchy, "memory", found.memory);
      take(hierarchy, "cpu", found.cpu);
      take(hierarchy, "cpuacct", found.cpuacct);
      take(hierarchy, "pids", found.pids);
    } else if (const auto path = unified_group(*text); path && !found.unified) {
      found.unified = locate(hierarchy.root, hierarchy.point, *path);
    }
  }
  return found;
}

}  // namespace metricsd::tools
