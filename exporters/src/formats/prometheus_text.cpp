#include "prometheus_family.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/models/decimal.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace metricsd::exporters {
namespace {

std::string_view type_name(ExpositionType type) {
  switch (type) {
    case ExpositionType::counter: return "counter";
    case ExpositionType::gauge: return "gauge";
    case ExpositionType::histogram: return "histogram";
    case ExpositionType::summary: return "summary";
  }
  return "untyped";
}

// The shortest digits that read back the same, without an exponent from 0.0001 up to 2^53: `le` labels are
// text to whoever queries them, and nobody looks for le="1e+06" beside le="1048576".
void append_number(std::string& out, double value) {
  constexpr double kExactIntegers = 9007199254740992;  // 2^53
  const double magnitude = std::fabs(value);
  if (magnitude == std::floor(magnitude) && magnitude < kExactIntegers) {
    if (value < 0) out += '-';
    append_integer(out, static_cast<std::uint64_t>(magnitude));
  } else if (magnitude >= 1e-4 && magnitude < kExactIntegers) {
    std::array<char, 40> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    out.append(text.data(), static_cast<std::size_t>(end - text.data()));
  } else {
    append_double(out, value);
  }
}

// What stands for `c` in the page, or nothing where it may stand for itself.
std::string_view escape_of(char c, bool quoted) {
  switch (c) {
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '"': return quoted ? "\\\"" : "";
    case '\0': return "\xEF\xBF\xBD";  // U+FFFD: Prometheus' own parser takes a NUL for the end of the page
    default: return "";
  }
}

// Backslash and newline are escaped everywhere, the quote only where the text is quoted: in label values.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  std::size_t plain = 0;  // where the text not yet appended begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = escape_of(text[i], quoted);
    if (escape.empty()) continue;
    out += text.substr(plain, i - plain);
    out += escape;
    plain = i + 1;
  }
  out += text.substr(plain);
}

bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '\\' && c != '"';
}

// Text is valid UTF-8 long before it comes here. Should that ever fail, one wrong character is better than a
// page that no scraper can read.
void append_text(std::string& out, std::string_view text, bool quoted) {
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out += text;
  } else if (is_valid_utf8(text)) {
    append_escaped(out, text, quoted);
  } else {
    std::string repaired;
    append_valid_utf8(repaired, text);
    append_escaped(out, repaired, quoted);
  }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += "=\"";
  append_text(out, value, true);
  out += '"';
}

// Renders one family. What the lines of a series, or all series, have in common is rendered once.
class FamilyRenderer {
 public:
  FamilyRenderer(std::string& out, const FamilySnapshot& family)
      : out_(out), family_(family), name_(exposed_name(family)) {}

  void render() {
    header();
    for (const SeriesSnapshot& series : family_.series) {
      load_labels(*series.labels);
      std::visit([this](const auto& shape) { lines(shape); }, series.shape);
    }
  }

 private:
  void header() {
    out_ += "# HELP ";
    out_ += name_;
    out_ += ' ';
    append_text(out_, family_.spec->help, false);
    out_ += "\n# TYPE ";
    out_ += name_;
    out_ += ' ';
    out_ += type_name(exposition_type(family_));
    out_ += '\n';
  }

  // `a="1",b="2"`, without braces: histograms and summaries have one label more.
  void load_labels(const LabelValues& values) {
    const LabelNames& names = family_.spec->label_names;
    labels_.clear();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i != 0) labels_ += ',';
      append_label(labels_, names[i], values[i]);
    }
  }

  void lines(const Scalar& scalar) { line("", scalar.value); }
  void lines(const Info&) { line("", 1.0); }

  void lines(const Buckets& buckets) {
    load_bounds(*buckets.bounds);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < bound_labels_.size(); ++i) {
      cumulative += buckets.counts[i];
      line("_bucket", cumulative, bound_labels_[i]);
    }
    line("_sum", buckets.sum);
    line("_count", buckets.count);
  }

  void lines(const Quantiles& quantiles) {
    std::string label;
    for (const auto& [quantile, value] : quantiles.values) {
      label.clear();
      append_bound_label(label, "quantile", quantile);
      line("", value, label);
    }
    line("_sum", quantiles.sum);
    line("_count", quantiles.count);
  }

  // The series of a family share their bounds, so this nearly always finds its work done.
  void load_bounds(const std::vector<double>& bounds) {
    if (bounds_ == &bounds) return;
    bounds_ = &bounds;
    bound_labels_.assign(bounds.size() + 1, {});
    for (std::size_t i = 0; i < bounds.size(); ++i) append_bound_label(bound_labels_[i], "le", bounds[i]);
    bound_labels_.back() = "le=\"+Inf\"";
  }

  static void append_bound_label(std::string& out, std::string_view name, double bound) {
    out += name;
    out += "=\"";
    append_number(out, bound);
    out += '"';
  }

  template <class Number>
  void line(std::string_view suffix, Number value, std::string_view last_label = {}) {
    out_ += name_;
    out_ += suffix;
    if (!labels_.empty() || !last_label.empty()) {
      out_ += '{';
      out_ += labels_;
      if (!labels_.empty() && !last_label.empty()) out_ += ',';
      out_ += last_label;
      out_ += '}';
    }
    out_ += ' ';
    append_value(value);
    out_ += '\n';
  }

  void append_value(double value) { append_number(out_, value); }
  void append_value(std::uint64_t count) { append_integer(out_, count); }

  std::string& out_;
  const FamilySnapshot& family_;
  const std::string name_;
  std::string labels_;                           // of the series at hand
  const std::vector<double>* bounds_ = nullptr;  // that bound_labels_ were made of
  std::vector<std::string> bound_labels_;
};

// A guess from above at the length of the page, so that the string grows at most once.
std::size_t estimated_size(const Snapshot& snapshot) {
  constexpr std::size_t kLine = 160;
  std::size_t lines = 0;
  for (const FamilySnapshot& family : snapshot.families) {
    const std::size_t each = family.spec->kind == Kind::histogram ? family.spec->bounds.size() + 3 : 1;
    lines += 2 + family.series.size() * each;
  }
  return lines * kLine;
}

}  // namespace

void render_prometheus_text(std::string& out, const Snapshot& snapshot) {
  out.reserve(out.size() + estimated_size(snapshot));
  for (const FamilySnapshot& family : snapshot.families) {
    if (!family.series.empty()) FamilyRenderer(out, family).render();
  }
}

}  // namespace metricsd::exporters
