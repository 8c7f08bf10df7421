#include <metricsd/support/exposition_parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <utility>

namespace metricsd::support {
namespace {

// The grammar is written down here once more, though models/ has most of it: a referee that asked the player
// for the rules would share the player's mistakes.
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name(std::string_view text, bool with_colon) {
  const auto allowed = [with_colon](char c) {
    return is_letter(c) || is_digit(c) || (with_colon && c == ':');
  };
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), allowed);
}

// Names with two underscores in front are Prometheus' own.
bool is_label_name(std::string_view text) {
  return is_name(text, false) && !text.starts_with("__");
}

std::size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// `-?D+(.D+)?([eE][+-]?D+)?`: what from_chars takes beyond that (".5", "1.", "inf") is not everyone's number.
bool is_plain_number(std::string_view text) {
  const auto take_digits = [&text] {
    const std::size_t digits = count_digits(text);
    text.remove_prefix(digits);
    return digits > 0;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!take_digits()) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits()) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!take_digits()) return false;
  }
  return text.empty();
}

// The size of the first character where it is well-formed (Unicode 15, table 3-7), else 0.
std::size_t utf8_size(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// One line, taken from its front piece by piece.
class LineCursor {
 public:
  LineCursor(std::string_view line, std::size_t number) : rest_(line), number_(number) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw ExpositionError("line " + std::to_string(number_) + ": " + what);
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  // Whether a comment begins so that Prometheus reads it as HELP or TYPE (after any white space).
  [[nodiscard]] bool is_keyword() const {
    const std::string_view text = rest_.substr(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    return word == "HELP" || word == "TYPE";
  }

  bool skip(std::string_view text) {
    if (rest_.substr(0, text.size()) != text) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  void expect(std::string_view text) {
    if (!skip(text)) fail("expected '" + std::string(text) + "' before '" + std::string(rest_) + "'");
  }

  std::string_view take_until(std::string_view ends) {
    const std::size_t size = std::min(rest_.find_first_of(ends), rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string take_metric_name() {
    const std::string_view name = take_until(" {");
    if (!is_name(name, true)) fail("'" + std::string(name) + "' is no metric name");
    return std::string(name);
  }

  // To the end of the line, or to a closing quote, which is taken too.
  std::string take_escaped(bool quoted) {
    std::string text;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"' && quoted) return text;
      text += c == '\\' ? take_escape(quoted) : c;
    }
    if (quoted) fail("a label value without its closing quote");
    return text;
  }

  double take_number() {
    const std::string_view token = take_until(" ");
    if (token == "+Inf") return std::numeric_limits<double>::infinity();
    if (token == "-Inf") return -std::numeric_limits<double>::infinity();
    if (token == "NaN") return std::numeric_limits<double>::quiet_NaN();
    double value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc() || !is_plain_number(token)) {
      fail("'" + std::string(token) + "' is no value");
    }
    return value;
  }

  std::int64_t take_timestamp() {
    const std::string_view token = take_until("");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc() || end != token.data() + token.size()) {
      fail("'" + std::string(token) + "' is no timestamp");
    }
    return value;
  }

 private:
  char take_escape(bool quoted) {
    if (skip("\\")) return '\\';
    if (skip("n")) return '\n';
    if (quoted && skip("\"")) return '"';
    fail("an escape the format does not know");
  }

  std::string_view rest_;
  std::size_t number_;
};

ExpositionLabels take_labels(LineCursor& line) {
  ExpositionLabels labels;
  if (!line.skip("{")) return labels;
  while (!line.skip("}")) {
    const std::string name(line.take_until("=,} "));
    if (!is_label_name(name)) line.fail("'" + name + "' is no label name");
    line.expect("=\"");
    if (!labels.emplace(name, line.take_escaped(true)).second) line.fail("label '" + name + "' twice");
    if (line.skip("}")) break;
    line.expect(",");
  }
  return labels;
}

double bound_of(const ExpositionSample& sample, const char* label, const LineCursor& at) {
  const auto found = sample.labels.find(label);
  if (found == sample.labels.end()) at.fail(sample.name + " without label '" + label + "'");
  LineCursor value(found->second, 0);
  const double bound = value.take_number();
  if (!value.at_end() || std::isnan(bound)) at.fail("'" + found->second + "' is no bound");
  return bound;
}

bool is_count(double value) {
  return value >= 0 && std::floor(value) == value && std::isfinite(value);
}

// To Prometheus an empty label is as good as none.
ExpositionLabels identity_of(const ExpositionLabels& labels) {
  ExpositionLabels identity = labels;
  std::erase_if(identity, [](const auto& label) { return label.second.empty(); });
  return identity;
}

// What is seen of one histogram or summary, its own label (`le`, `quantile`) aside.
struct Distribution {
  std::vector<std::pair<double, double>> buckets;  // (le, cumulative count)
  std::optional<double> quantile;                  // the last one
  std::optional<double> sum;
  std::optional<double> count;
};

class PageParser {
 public:
  ExpositionPage parse(std::string_view text) {
    if (!is_utf8(text)) throw ExpositionError("not UTF-8");
    if (text.find('\0') != std::string_view::npos)
      throw ExpositionError("a NUL ends the page for Prometheus");
    if (!text.empty() && text.back() != '\n') throw ExpositionError("no newline at the end");
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::size_t end = text.find('\n');
      parse_line(LineCursor(text.substr(0, end), number));
      text.remove_prefix(end + 1);
    }
    close_family();
    return std::move(page_);
  }

 private:
  void parse_line(LineCursor line) {
    if (line.at_end()) return;
    if (line.skip("# HELP ")) {
      parse_help(line);
    } else if (line.skip("# TYPE ")) {
      parse_type(line);
    } else if (!line.skip("#")) {
      parse_sample(line);
    } else if (line.is_keyword()) {
      line.fail("a HELP or TYPE that is not written as one");
    }
  }

  void parse_help(LineCursor& line) {
    ExpositionFamily& family = open_family(line);
    if (family.help) line.fail("HELP twice");
    if (!family.type.empty()) line.fail("HELP behind its TYPE");
    line.expect(" ");
    family.help = line.take_escaped(false);
  }

  void parse_type(LineCursor& line) {
    ExpositionFamily& family = open_family(line);
    if (!family.type.empty()) line.fail("TYPE twice");
    line.expect(" ");
    family.type = line.take_until("");
    constexpr std::array<std::string_view, 5> kTypes{"counter", "gauge", "histogram", "summary", "untyped"};
    if (std::find(kTypes.begin(), kTypes.end(), family.type) == kTypes.end())
      line.fail("'" + family.type + "' is no type");
    reserve_names(family, line);
  }

  // The family that a HELP or TYPE line names: the one at hand, or a new one.
  ExpositionFamily& open_family(LineCursor& line) {
    std::string name = line.take_metric_name();
    if (page_.families.empty() || page_.families.back().name != name) {
      close_family();
      if (page_.family(name) != nullptr) line.fail("family '" + name + "' in two places");
      page_.families.push_back({std::move(name), {}, {}, {}});
    }
    return page_.families.back();
  }

  // No two families may show samples of one name.
  void reserve_names(const ExpositionFamily& family, const LineCursor& line) {
    for (const std::string& name : sample_names(family)) {
      if (!names_.insert(name).second) line.fail("'" + name + "' belongs to two families");
    }
  }

  static std::vector<std::string> sample_names(const ExpositionFamily& family) {
    std::vector<std::string> names{family.name};
    const bool histogram = family.type == "histogram";
    if (histogram) names.push_back(family.name + "_bucket");
    if (histogram || family.type == "summary") {
      names.push_back(family.name + "_sum");
      names.push_back(family.name + "_count");
    }
    return names;
  }

  void parse_sample(LineCursor& line) {
    ExpositionSample sample;
    sample.name = line.take_metric_name();
    sample.labels = take_labels(line);
    line.expect(" ");
    sample.value = line.take_number();
    if (line.skip(" ")) sample.timestamp_ms = line.take_timestamp();
    if (!line.at_end()) line.fail("something behind the value");
    admit(std::move(sample), line);
  }

  void admit(ExpositionSample sample, const LineCursor& line) {
    if (page_.families.empty() || page_.families.back().type.empty()) line.fail("a sample without a TYPE");
    ExpositionFamily& family = page_.families.back();
    const std::vector<std::string> names = sample_names(family);
    const bool is_bare_histogram = family.type == "histogram" && sample.name == family.name;
    if (is_bare_histogram || std::find(names.begin(), names.end(), sample.name) == names.end()) {
      line.fail("'" + sample.name + "' stands among the samples of '" + family.name + "'");
    }
    if (!series_.emplace(sample.name, identity_of(sample.labels)).second)
      line.fail("this series is here already");
    if (family.type == "counter" && !(sample.value >= 0 && std::isfinite(sample.value))) {
      line.fail("a counter that is not 0 or more");
    }
    if (family.type == "histogram" || family.type == "summary") admit_part(family, sample, line);
    family.samples.push_back(std::move(sample));
  }

  void admit_part(const ExpositionFamily& family, const ExpositionSample& sample, const LineCursor& line) {
    ExpositionLabels labels = sample.labels;
    const bool histogram = family.type == "histogram";
    const char* const own_label = histogram ? "le" : "quantile";
    labels.erase(own_label);
    Distribution& distribution = distributions_[labels];
    const std::string_view part = std::string_view(sample.name).substr(family.name.size());
    if (part == "_sum" || part == "_count") {
      if (labels.size() != sample.labels.size())
        line.fail("label '" + std::string(own_label) + "' on " + sample.name);
      (part == "_sum" ? distribution.sum : distribution.count) = sample.value;
      if (part == "_count" && !is_count(sample.value)) line.fail("a count that is none");
    } else if (histogram) {
      admit_bucket(distribution, sample, line);
    } else {
      const double quantile = bound_of(sample, own_label, line);
      if (quantile < 0 || quantile > 1) line.fail("a quantile outside 0..1");
      if (distribution.quantile && quantile <= *distribution.quantile)
        line.fail("quantiles that do not ascend");
      distribution.quantile = quantile;
    }
  }

  static void admit_bucket(Distribution& distribution, const ExpositionSample& sample,
                           const LineCursor& line) {
    const double bound = bound_of(sample, "le", line);
    if (!is_count(sample.value)) line.fail("a count that is none");
    if (!distribution.buckets.empty()) {
      const auto& [last_bound, last_count] = distribution.buckets.back();
      if (bound <= last_bound) line.fail("bounds that do not ascend");
      if (sample.value < last_count) line.fail("buckets that are not cumulative");
    }
    distribution.buckets.emplace_back(bound, sample.value);
  }

  template <class Fail>
  static void check_inf_bucket(const Distribution& distribution, const Fail& fail) {
    if (distribution.buckets.empty() || !std::isinf(distribution.buckets.back().first))
      fail("no +Inf bucket");
    if (distribution.buckets.back().second != *distribution.count) fail("the +Inf bucket is not _count");
  }

  // What can only be said of a family once all of it has been seen.
  void close_family() {
    if (page_.families.empty()) return;
    const ExpositionFamily& family = page_.families.back();
    const auto fail = [&](const char* what) {
      throw ExpositionError("family '" + family.name + "': " + what);
    };
    if (family.type.empty()) fail("no TYPE");
    for (const auto& [labels, distribution] : distributions_) {
      if (!distribution.sum) fail("no _sum");
      if (!distribution.count) fail("no _count");
      if (family.type == "histogram") check_inf_bucket(distribution, fail);
      if (*distribution.count == 0 && *distribution.sum != 0) fail("a sum of nothing that is not 0");
    }
    distributions_.clear();
  }

  ExpositionPage page_;
  std::set<std::string> names_;  // of samples, of all families so far
  std::set<std::pair<std::string, ExpositionLabels>> series_;
  std::map<ExpositionLabels, Distribution> distributions_;  // of the family at hand
};

}  // namespace

const ExpositionFamily* ExpositionPage::family(std::string_view name) const {
  const auto found = std::find_if(families.begin(), families.end(),
                                  [&](const ExpositionFamily& f) { return f.name == name; });
  return found == families.end() ? nullptr : &*found;
}

std::optional<double> ExpositionPage::value(std::string_view sample_name,
                                            const ExpositionLabels& labels) const {
  for (const ExpositionFamily& family : families) {
    for (const ExpositionSample& sample : family.samples) {
      if (sample.name == sample_name && sample.labels == labels) return sample.value;
    }
  }
  return std::nullopt;
}

double ExpositionPage::sum(std::string_view sample_name, const ExpositionLabels& labels) const {
  double total = 0;
  for (const ExpositionFamily& family : families) {
    for (const ExpositionSample& sample : family.samples) {
      const bool has_all =
          std::includes(sample.labels.begin(), sample.labels.end(), labels.begin(), labels.end());
      if (sample.name == sample_name && has_all) total += sample.value;
    }
  }
  return total;
}

ExpositionPage parse_exposition(std::string_view text) {
  return PageParser().parse(text);
}

}  // namespace metricsd::support
