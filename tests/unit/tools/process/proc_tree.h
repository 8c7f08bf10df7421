// A /proc of a test's own: files that say what the test wants, and links of namespaces.
#pragma once

#include "roots.h"

#include <metricsd/support/temporary_directory.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace metricsd::tools {

// What a process's files say. Ticks are hundredths of a second.
struct FakeProcess {
  pid_t pid = 0;
  pid_t parent = 1;
  std::string comm = "fake";
  char state = 'S';
  std::uint64_t user = 0, system = 0;
  std::uint64_t children_user = 0, children_system = 0;
  std::uint64_t threads = 1;
  std::uint64_t start = 1000;
  std::uint64_t virtual_bytes = 1 << 20;
  std::uint64_t resident_pages = 16;
  std::uint64_t stack_start = 140'000'000'000;
  std::uint64_t read_bytes = 0, write_bytes = 0;
  std::uint64_t network = 4'026'531'840;  // its namespace
  unsigned descriptors = 3;
};

inline std::string stat_text(const FakeProcess& process) {
  const auto text = [](std::uint64_t number) { return std::to_string(number) + " "; };
  return std::to_string(process.pid) + " (" + process.comm + ") " + process.state + " " +
         std::to_string(process.parent) + " 1 1 0 -1 4194560 10 20 0 0 " + text(process.user) +
         text(process.system) + text(process.children_user) + text(process.children_system) + "20 0 " +
         text(process.threads) + "0 " + text(process.start) + text(process.virtual_bytes) +
         text(process.resident_pages) + "18446744073709551615 1 1 " + text(process.stack_start) +
         "0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
}

inline std::string io_text(std::uint64_t read, std::uint64_t written) {
  return "rchar: 9\nwchar: 8\nsyscr: 7\nsyscw: 6\nread_bytes: " + std::to_string(read) +
         "\nwrite_bytes: " + std::to_string(written) + "\ncancelled_write_bytes: 0\n";
}

inline constexpr std::string_view kNetDevHeadings =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
    "carrier compressed\n";

inline std::string net_dev_line(std::string_view device, std::uint64_t rx, std::uint64_t tx) {
  return "  " + std::string(device) + ": " + std::to_string(rx) + " 1 2 3 0 0 0 0 " + std::to_string(tx) +
         " 4 5 6 0 0 0 0\n";
}

class ProcTree {
 public:
  ProcTree() {
    write("uptime", "100.00 50.00\n");
    write("meminfo", "MemTotal:       1024 kB\nMemFree:         512 kB\nMemAvailable:    768 kB\n");
  }

  [[nodiscard]] Roots roots() const { return {directory_.path(), directory_.path() / "mounts"}; }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory_.path() / name; }

  // A path of files that are not under /proc begins with "mounts/".
  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
  }
  void set(const FakeProcess& process) const {
    const std::string at = std::to_string(process.pid) + "/";
    write(at + "stat", stat_text(process));
    write(at + "io", io_text(process.read_bytes, process.write_bytes));
    for (unsigned fd = 0; fd < process.descriptors; ++fd) write(at + "fd/" + std::to_string(fd), "");
    set_network(process.pid, process.network);
    if (!exists(at + "net/dev"))
      write(at + "net/dev", std::string(kNetDevHeadings) + net_dev_line("lo", 0, 0));
  }
  void set_network(pid_t pid, std::uint64_t id) const {
    const auto link = path(std::to_string(pid) + "/ns/net");
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::remove(link);
    std::filesystem::create_symlink("net:[" + std::to_string(id) + "]", link);
  }
  void remove(pid_t pid) const { std::filesystem::remove_all(path(std::to_string(pid))); }
  void remove(const std::string& name) const { std::filesystem::remove_all(path(name)); }
  [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

 private:
  support::TemporaryDirectory directory_;
};

}  // namespace metricsd::tools
