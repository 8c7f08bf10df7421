// How a program ends that may have left threads behind.
#pragma once

namespace metricsd::tools {

inline constexpr int kSignalBase = 128;  // a shell's exit code of what signal n ended is n more

// Not by exit(3): a thread that a name server keeps (sink_thread.h) must not meet what its handlers tear
// down. What is in the buffers of stdio is written.
[[noreturn]] void end_program(int exit_code);

// By the signal itself, as its parent sees; whose default has to be an end. Likewise without handlers.
[[noreturn]] void end_program_by(int signal);

}  // namespace metricsd::tools
