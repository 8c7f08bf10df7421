// Who takes part in a run, by record locks on one hidden file in its directory (.members.jsonl).
//
// Byte 1: a read lock, held by each process while it takes part. Byte 0: the gate, a write lock held by a
// process that finishes. Who holds the gate, has given its membership up and sees no other member is the
// run's last, and completes it before the gate opens. The kernel gives the locks of a dead process back. The
// file's content is a line for each part that was finished (exporters/member_record.h).
//
// The locks are POSIX ones, which a forked child does not hold. They are the process's: closing any
// descriptor of the file drops all of them. So a process opens the file once, whatever number of its
// collectors take part, and only the last of these gives the membership up.
#pragma once

#include <metricsd/models/errors.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace metricsd::client {

enum class Departure { last, others_remain };

// One collector's part; one thread. Giving it up without finishing is what a death would do.
class RunMembership {
 public:
  // Becomes a member. Errors: those of opening and locking the file.
  [[nodiscard]] static Result<RunMembership> enter(const std::filesystem::path& directory);
  RunMembership(RunMembership&& other) noexcept;
  RunMembership& operator=(RunMembership&&) = delete;
  ~RunMembership();

  // Appends one line, with its newline, to the members' file.
  [[nodiscard]] Result<> append(std::string_view line);
  // The file's content.
  [[nodiscard]] Result<std::string> read() const;

  // Gives the membership up. Of the last one, the gate is held until this object goes. Waits for another
  // process that is finishing at most `timeout_ns`: Errc::timed_out.
  [[nodiscard]] Result<Departure> leave(std::int64_t timeout_ns);

 private:
  struct MembersFile;
  class Table;

  explicit RunMembership(std::shared_ptr<MembersFile> file);
  [[nodiscard]] error_code take_gate(std::int64_t timeout_ns);
  void close_gate() noexcept;

  std::shared_ptr<MembersFile> file_;
  bool member_ = true;
  bool has_gate_ = false;  // against this process's others, at least
};

}  // namespace metricsd::client
