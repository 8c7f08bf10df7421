// What saved state comes to, and what can happen to it on its way.
#pragma once

#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace metricsd {

template <class State>
std::string saved(const State& state) {
  std::string bytes;
  StateWriter writer(bytes);
  state.save(writer);
  return bytes;
}

// Calls `visit` with every beginning of the bytes that is not all of them.
template <class Visit>
void for_each_cut(std::string_view bytes, const Visit& visit) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut(bytes.substr(0, size));  // memory of its own, so that a read past it is seen
    visit(cut);
  }
}

// Calls `visit` with the bytes, each of them changed in several ways.
template <class Visit>
void for_each_damage(std::string_view bytes, const Visit& visit) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x02U, 0x08U, 0x40U, 0x80U, 0xA5U, 0xFFU}) {
      std::string damaged(bytes);
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      visit(damaged);
    }
  }
}

}  // namespace metricsd
