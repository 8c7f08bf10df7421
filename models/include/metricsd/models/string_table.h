// Hash tables by text that are searched with a string_view, so that a look-up allocates nothing.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace metricsd {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

template <class V>
using StringTable = std::unordered_map<std::string, V, TextHash, std::equal_to<>>;

}  // namespace metricsd
