// Lines, each read twice: as it is, and with a space in front, which the readers of usual lines (batches as
// BatchEncoder writes them, operations as clients do) leave to the careful ones. Both must say the same.

#include "fuzzing.h"
#include "transcript.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace metricsd;
  // As a connection has them: what one line leaves behind must not show in the next.
  fuzz::Transcript as_it_is(limits::kBatchLine);
  fuzz::Transcript with_a_space(limits::kBatchLine + 1);
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (!bytes.empty()) {
    const std::string line(bytes.substr(0, bytes.find('\n')));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    if (line.empty() || line == "\r") continue;  // an empty line is nothing, one of a space is something
    as_it_is.feed(line + "\n");
    with_a_space.feed(" " + line + "\n");
    fuzz::check_same(as_it_is.text(), with_a_space.text(), "the usual way and the careful one differ");
  }
  return 0;
}
