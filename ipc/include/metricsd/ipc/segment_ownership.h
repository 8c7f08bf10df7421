// Whose a segment is: a POSIX write lock of its first byte (segment_layout.h); what others delivered of it;
// and its name, which goes when that is all.
//
// The locks are the process's: closing any descriptor of the file drops the one that it holds.
#pragma once

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/models/errors.h>

#include <sys/types.h>

namespace metricsd::ipc {

// Who holds a segment, another than this process: its pid as this process sees it, which is 0 where it does
// not see it; -1 where nobody does. Never waits. Errors: endpoint_unusable for what is no file of memory or
// disk; the system's.
[[nodiscard]] Result<pid_t> segment_owner(int file);

// Takes the lock, until a descriptor of the file closes. Never waits. Errors: endpoint_in_use where another
// process has it; the system's.
[[nodiscard]] Result<> lock_segment(int file);

// Gives it back, though descriptors of the file stay open.
void unlock_segment(int file);

// Says in the segment what of it was delivered. Errors: the system's.
[[nodiscard]] Result<> mark_adopted(int file, Adopted what);

// Removes `name`, a path from `directory` or AT_FDCWD, if it is this file's, and follows no link. Errors:
// endpoint_untrusted where it is another file's; the system's.
[[nodiscard]] Result<> remove_segment(int directory, const char* name, int file);

}  // namespace metricsd::ipc
