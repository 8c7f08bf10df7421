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
#include <cstring>

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

// Writes behind one another into a block of memory, and that to the page when it is full: most of what a line
// consists of is a few bytes long, and a string asks more questions about each than the bytes cost.
class PageWriter {
 public:
  explicit PageWriter(std::string& out) : out_(out) {}
  PageWriter(const PageWriter&) = delete;
  PageWriter& operator=(const PageWriter&) = delete;
  ~PageWriter() { flush(); }

  void put(std::string_view text) {
    if (text.size() > room()) {
      flush();
      if (text.size() > room()) {
        out_ += text;
        return;
      }
    }
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void put(std::uint64_t value) {
    constexpr std::size_t kDigits = 20;
    if (kDigits > room()) flush();
    at_ = std::to_chars(at_, at_ + kDigits, value).ptr;
  }

  void put(double value) {
    number_.clear();
    append_number(number_, value);
    put(number_);
  }

 private:
  [[nodiscard]] std::size_t room() const {
    return static_cast<std::size_t>(block_.data() + block_.size() - at_);
  }
  void flush() {
    out_.append(block_.data(), static_cast<std::size_t>(at_ - block_.data()));
    at_ = block_.data();
  }

  std::string& out_;
  std::string number_;
  std::array<char, 16 * 1024> block_;
  char* at_ = block_.data();
};

// Renders one family. What the lines of a series, or all series, have in common is rendered once.
class FamilyRenderer {
 public:
  FamilyRenderer(PageWriter& out, const FamilySnapshot& family)
      : out_(out), family_(family), name_(exposed_name(family)) {
    for (const std::string& name : family.spec->label_names) {
      label_starts_.push_back((label_starts_.empty() ? "" : "\",") + name + "=\"");
    }
  }

  void render() {
    header();
    std::visit(
        [this](const auto& list) {
          for (const auto& series : list) {
            load_labels(series.key);
            lines(series.shape);
          }
        },
        family_.series);
  }

 private:
  void header() {
    std::string text = "# HELP " + name_ + ' ';
    append_text(text, family_.spec->help, false);
    text += "\n# TYPE " + name_ + ' ';
    text += type_name(exposition_type(family_));
    text += '\n';
    out_.put(text);
  }

  // `a="1",b="2"`, without braces: histograms and summaries have one label more.
  void load_labels(std::string_view key) {
    labels_.clear();
    for (const std::string& start : label_starts_) {
      labels_ += start;
      append_text(labels_, take_value(key), true);
    }
    if (!label_starts_.empty()) labels_ += '"';
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
    out_.put(name_);
    out_.put(suffix);
    if (!labels_.empty() || !last_label.empty()) {
      out_.put("{");
      out_.put(labels_);
      if (!labels_.empty() && !last_label.empty()) out_.put(",");
      out_.put(last_label);
      out_.put("}");
    }
    out_.put(" ");
    out_.put(value);
    out_.put("\n");
  }

  PageWriter& out_;
  const FamilySnapshot& family_;
  const std::string name_;
  std::vector<std::string> label_starts_;        // what stands before each value
  std::string labels_;                           // of the series at hand
  const std::vector<double>* bounds_ = nullptr;  // that bound_labels_ were made of
  std::vector<std::string> bound_labels_;
};

// A guess at the length of the page, so that the string grows at most once.
std::size_t estimated_size(const Snapshot& snapshot) {
  constexpr std::size_t kLine = 160;
  std::size_t lines = 0;
  for (const FamilySnapshot& family : snapshot.families) {
    const std::size_t each = family.spec->kind == Kind::histogram ? family.spec->bounds.size() + 3 : 1;
    lines += 2 + family.size() * each;
  }
  return lines * kLine;
}

}  // namespace

void render_prometheus_text(std::string& out, const Snapshot& snapshot) {
  out.reserve(out.size() + estimated_size(snapshot));
  PageWriter writer(out);
  for (const FamilySnapshot& family : snapshot.families) {
    if (family.size() > 0) FamilyRenderer(writer, family).render();
  }
}

}  // namespace metricsd::exporters
