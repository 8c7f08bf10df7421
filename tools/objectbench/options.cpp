#include "options.h"

#include "command_line.h"
#include "url.h"

#include <array>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>

namespace metricsd::tools {

namespace {

// The longest run and the largest crowd that make sense on one machine; beyond them a typing error is
// likelier.
constexpr unsigned kMaxProcesses = 256;
constexpr unsigned kMaxUsers = 1024;
constexpr double kMinSeconds = 0.01;
constexpr double kMaxSeconds = 7.0 * 24 * 3600;
constexpr std::uint64_t kMaxObjects = 100'000'000;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 40;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 3> kUnits{
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
  unsigned shift = 0;
  for (const auto& [suffix, unit_shift] : kUnits) {
    if (!text.ends_with(suffix)) continue;
    text.remove_suffix(suffix.size());
    shift = unit_shift;
  }
  const auto units = number<std::uint64_t>(text);
  if (!units || *units > kMaxSize >> shift) return std::nullopt;
  return *units << shift;
}

// CLI11's own ranges let NaN pass.
std::optional<double> parse_seconds(std::string_view text) {
  const auto seconds = number<double>(text);
  if (!seconds || !(*seconds >= kMinSeconds && *seconds <= kMaxSeconds)) return std::nullopt;
  return seconds;
}

// Lets CLI11 refuse what `parse` does not take, with one line that names the option.
template <class Parse>
CLI::Validator accepted_by(Parse parse, std::string form) {
  return CLI::Validator(
      [parse, form](const std::string& text) { return parse(text) ? std::string() : "must be " + form; },
      form);
}

// Texts of the command line that become values only once all of it was accepted.
struct Texts {
  std::string url;
  std::string size = "4KiB-256KiB";
  std::string mix = "upload=40,download=50,delete=10";
  double seconds = 10;
};

void add_load_options(CLI::App& app, BenchOptions& options, Texts& texts) {
  app.add_option("--url", texts.url, "Put objects under this URL (default: a small object store of its own)")
      ->check(accepted_by(parse_url, "http://HOST[:PORT][/PATH]"));
  app.add_option("--processes", options.processes, "Processes of the run")
      ->check(CLI::Range(1U, kMaxProcesses))
      ->capture_default_str();
  app.add_option("--users", options.users, "Users, each a thread with one connection, of a process")
      ->check(CLI::Range(1U, kMaxUsers))
      ->capture_default_str();
  app.add_option("--duration", texts.seconds, "Seconds of load")
      ->check(accepted_by(parse_seconds, "0.01 to 604800 seconds"))
      ->capture_default_str();
  app.add_option("--objects", options.objects, "Objects of all users together; each has one at least")
      ->check(CLI::Range(std::uint64_t{1}, kMaxObjects))
      ->capture_default_str();
  app.add_option("--size", texts.size, "Size of an object, such as 4096, 64KiB or 4KiB-1MiB")
      ->check(accepted_by(parse_size_range, "BYTES or MIN-MAX"))
      ->capture_default_str();
  app.add_option("--mix", texts.mix, "Shares of the operations")
      ->check(accepted_by(parse_mix, "upload=N,download=N,delete=N"))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Makes the users choose the same again")->capture_default_str();
}

void add_run_options(CLI::App& app, BenchOptions& options) {
  app.add_option("--test-name", options.test_name, "Name of the run")->capture_default_str();
  app.add_option("--scenario", options.scenario, "Scenario of the run, a label in Prometheus")
      ->capture_default_str();
  app.add_option("--export-dir", options.export_dir, "Where the run's directory is made")
      ->capture_default_str();
  app.add_option("--export", options.exports, "Which of jsonl, json, csv the run leaves")
      ->delimiter(',')
      ->check(CLI::IsMember({"jsonl", "json", "csv"}))
      ->capture_default_str();
  app.add_option("--socket", options.socket, "The daemon's socket (default: where clients usually look)");
  app.add_flag("--quiet", options.quiet, "No progress line, no table");
}

}  // namespace

std::optional<SizeRange> parse_size_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto min = parse_size(text.substr(0, dash));
  const auto max = dash == std::string_view::npos ? min : parse_size(text.substr(dash + 1));
  if (!min || !max || *min > *max) return std::nullopt;
  return SizeRange{*min, *max};
}

std::optional<Mix> parse_mix(std::string_view text) {
  Mix mix;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto share = number<std::uint16_t>(item.substr(equals + 1));
    const auto name = item.substr(0, equals);
    unsigned* const slot = name == "upload"     ? &mix.upload
                           : name == "download" ? &mix.download
                           : name == "delete"   ? &mix.remove
                                                : nullptr;
    if (!share || slot == nullptr) return std::nullopt;
    *slot = *share;
  }
  if (mix == Mix{}) return std::nullopt;
  return mix;
}

std::optional<ObjectUrl> parse_url(std::string_view text) {
  auto url = split_url(text);
  if (!url || url->scheme != "http") return std::nullopt;
  if (!url->path.ends_with('/')) url->path += '/';
  return ObjectUrl{origin_of(*url), std::move(url->path)};
}

std::variant<BenchOptions, int> parse_options(int argc, char** argv) {
  BenchOptions options;
  Texts texts;
  CLI::App app("objectbench: users put, get and delete objects over HTTP; each operation is measured.",
               "objectbench");
  app.set_version_flag("--version", "objectbench " METRICSD_VERSION);
  add_load_options(app, options, texts);
  add_run_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  }
  if (!texts.url.empty()) options.url = parse_url(texts.url);
  options.size = parse_size_range(texts.size).value();
  options.mix = parse_mix(texts.mix).value();
  options.duration = std::chrono::duration<double>(texts.seconds);
  return options;
}

}  // namespace metricsd::tools
