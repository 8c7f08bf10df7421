// What the fuzz targets share. A target is one function, LLVMFuzzerTestOneInput, that takes any bytes and
// ends the process where what must always hold does not. libFuzzer calls it with bytes it makes up (the
// `fuzz` preset, tools/fuzz), main.cpp with those of corpus/ (every other build, as a test).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace metricsd::fuzz {

// Ends the process, and says why, where `holds` is false or the texts differ.
void check(bool holds, std::string_view what);
void check_same(std::string_view one, std::string_view other, std::string_view what);

// The ways in which bytes that arrive in parts are parted: whole, one by one, and at places that follow from
// the bytes themselves, so that an input always does the same and a corpus is readable text.
enum class Split { whole, single, odd };
[[nodiscard]] std::vector<std::string> parts_of(std::string_view bytes, Split split);

}  // namespace metricsd::fuzz
