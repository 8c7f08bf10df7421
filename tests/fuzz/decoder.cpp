// A connection's bytes, in any parts: the decoder says the same of them however they are parted, and what it
// reads can be written and read again.

#include "fuzzing.h"
#include "transcript.h"

#include <metricsd/models/limits.h>

#include <string>
#include <string_view>

namespace {

using namespace metricsd;
using fuzz::Split;

std::string said_of(std::string_view bytes, Split split, std::size_t max_line) {
  fuzz::Transcript transcript(max_line);
  for (const std::string& part : fuzz::parts_of(bytes, split)) transcript.feed(part);
  transcript.finish();
  return transcript.text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The short limit makes too long lines of short inputs.
  for (const std::size_t max_line : {std::size_t{100}, limits::kPlainLine}) {
    const std::string whole = said_of(bytes, Split::whole, max_line);
    fuzz::check_same(whole, said_of(bytes, Split::single, max_line), "byte by byte it is another stream");
    fuzz::check_same(whole, said_of(bytes, Split::odd, max_line), "in parts it is another stream");
  }
  return 0;
}
