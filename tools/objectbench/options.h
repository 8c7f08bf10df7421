// What the command line of objectbench asks for.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace metricsd::tools {

// Sizes of uploaded objects in bytes, both ends included.
struct SizeRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;

  bool operator==(const SizeRange&) const = default;
};

// Shares of the three operations; any whole numbers, of which one at least is not 0.
struct Mix {
  unsigned upload = 0;
  unsigned download = 0;
  unsigned remove = 0;

  bool operator==(const Mix&) const = default;
};

// Where objects are put: `http://host:port` and what stands before the key, always ending in `/`.
struct ObjectUrl {
  std::string origin;
  std::string base_path = "/";

  bool operator==(const ObjectUrl&) const = default;
};

struct BenchOptions {
  std::optional<ObjectUrl> url;  // nothing: objectbench serves the objects itself
  unsigned processes = 1;
  unsigned users = 4;  // threads of each process
  std::chrono::duration<double> duration{10};
  std::uint64_t objects = 256;  // of all users together
  SizeRange size{4 << 10, 256 << 10};
  Mix mix{40, 50, 10};
  std::uint64_t seed = 1;

  std::string test_name = "objectbench";
  std::string scenario = "objectbench";
  std::filesystem::path export_dir = "./metrics";
  std::vector<std::string> exports{"jsonl", "json", "csv"};
  std::string socket;  // empty: where clients usually look
  bool quiet = false;
};

// The options, or the exit code where the program ends here: help, version, a usage error (already printed).
[[nodiscard]] std::variant<BenchOptions, int> parse_options(int argc, char** argv);

// `4096`, `64KiB`, `1MiB`, `2GiB`, or two of them as `MIN-MAX`.
[[nodiscard]] std::optional<SizeRange> parse_size_range(std::string_view text);

// `upload=40,download=50,delete=10`; what is not named has no share.
[[nodiscard]] std::optional<Mix> parse_mix(std::string_view text);

// `http://host[:port][/path]`.
[[nodiscard]] std::optional<ObjectUrl> parse_url(std::string_view text);

}  // namespace metricsd::tools
