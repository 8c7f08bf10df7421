// Emptying a string that will be filled again.
#pragma once

#include <string>

namespace metricsd {

// Keeps the memory, unless it is much: there is one such string for each of ten thousand connections.
inline void recycle(std::string& text) {
  constexpr std::size_t kKept = 4096;
  if (text.capacity() > kKept) {
    text = std::string();
  } else {
    text.clear();
  }
}

}  // namespace metricsd
