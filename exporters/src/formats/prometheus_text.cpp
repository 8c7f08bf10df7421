#include "label_text.h"
#include "prometheus_family.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/models/decimal.h>

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

constexpr double kExactIntegers = 9007199254740992;  // 2^53

// The shortest digits that read back the same, without an exponent from 0.0001 up to 2^53: `le` labels are
// text to whoever queries them, and nobody looks for le="1e+06" beside le="1048576".
void append_number(std::string& out, double value) {
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

// Writes lines into a block of memory, and that to the page when it is full: most of what a line consists of
// is a few bytes long, and a string asks more questions about each than the bytes cost.
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

  // A value, and the line's end.
  void end_line(std::uint64_t value) {
    constexpr std::size_t kDigits = 20;
    if (room() < kDigits + 1) flush();
    at_ = std::to_chars(at_, at_ + kDigits, value).ptr;
    *at_++ = '\n';
  }

  void end_line(double value) {
    if (value >= 0 && value < kExactIntegers) {
      const auto whole = static_cast<std::uint64_t>(value);
      if (static_cast<double>(whole) == value) {
        end_line(whole);
        return;
      }
    }
    number_.clear();
    append_number(number_, value);
    number_ += '\n';
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
      : out_(out), family_(family), name_(exposed_name(family)) {}

  void render() {
    header();
    std::visit([this](const auto& list) { series(list); }, family_.series);
  }

 private:
  void header() {
    std::string text = "# HELP " + name_ + ' ';
    append_escaped_text(text, family_.spec->help, false);
    text += "\n# TYPE " + name_ + ' ';
    text += type_name(exposition_type(family_));
    text += '\n';
    out_.put(text);
  }

  // `name` and the labels, up to the value.
  [[nodiscard]] LabelText sample_text(std::string_view suffix) const {
    const LabelNames& names = family_.spec->label_names;
    std::string head = name_;
    head += suffix;
    return names.empty() ? LabelText(names, head, " ") : LabelText(names, head + '{', "} ");
  }

  // The same where one label more is to follow the series' own.
  [[nodiscard]] LabelText open_text(std::string_view suffix) const {
    const LabelNames& names = family_.spec->label_names;
    std::string head = name_;
    head += suffix;
    return LabelText(names, head + '{', names.empty() ? "" : ",");
  }

  void series(const SeriesOf<Scalar>& list) {
    LabelText text = sample_text("");
    for (const auto& each : list) {
      out_.put(text.of(each.key));
      out_.end_line(each.shape.value);
    }
  }

  void series(const SeriesOf<Info>& list) {
    LabelText text = sample_text("");
    for (const auto& each : list) {
      out_.put(text.of(each.key));
      out_.end_line(std::uint64_t{1});
    }
  }

  void series(const SeriesOf<Buckets>& list) {
    LabelText text = open_text("_bucket");
    for (const auto& each : list) {
      const Buckets& buckets = each.shape;
      load_bounds(*buckets.bounds);
      const std::string_view start = text.of(each.key);
      std::uint64_t cumulative = 0;
      for (std::size_t i = 0; i < bound_labels_.size(); ++i) {
        cumulative += buckets.counts[i];
        out_.put(start);
        out_.put(bound_labels_[i]);
        out_.end_line(cumulative);
      }
      totals(text.labels(), buckets.sum, buckets.count);
    }
  }

  void series(const SeriesOf<Quantiles>& list) {
    LabelText text = open_text("");
    std::string label;
    for (const auto& each : list) {
      const std::string_view start = text.of(each.key);
      for (const auto& [quantile, value] : each.shape.values) {
        label.clear();
        append_bound_label(label, "quantile", quantile);
        out_.put(start);
        out_.put(label);
        out_.end_line(value);
      }
      totals(text.labels(), each.shape.sum, each.shape.count);
    }
  }

  void totals(std::string_view labels, double sum, std::uint64_t count) {
    total("_sum", labels);
    out_.end_line(sum);
    total("_count", labels);
    out_.end_line(count);
  }

  void total(std::string_view suffix, std::string_view labels) {
    out_.put(name_);
    out_.put(suffix);
    if (!labels.empty()) {
      out_.put("{");
      out_.put(labels);
      out_.put("}");
    }
    out_.put(" ");
  }

  // The series of a family share their bounds, so this nearly always finds its work done.
  void load_bounds(const std::vector<double>& bounds) {
    if (bounds_ == &bounds) return;
    bounds_ = &bounds;
    bound_labels_.assign(bounds.size() + 1, {});
    for (std::size_t i = 0; i < bounds.size(); ++i) append_bound_label(bound_labels_[i], "le", bounds[i]);
    bound_labels_.back() = "le=\"+Inf\"} ";
  }

  // The last label, the closing brace included.
  static void append_bound_label(std::string& out, std::string_view name, double bound) {
    out += name;
    out += "=\"";
    append_number(out, bound);
    out += "\"} ";
  }

  PageWriter& out_;
  const FamilySnapshot& family_;
  const std::string name_;
  const std::vector<double>* bounds_ = nullptr;  // that bound_labels_ were made of
  std::vector<std::string> bound_labels_;
};

// A guess at the length of the page, from above unless much is escaped, so that the string grows at most
// once.
std::size_t estimated_size(const FamilySnapshot& family) {
  constexpr std::size_t kValue = 24;
  constexpr std::size_t kLastLabel = 16;
  const FamilySpec& spec = *family.spec;
  const bool is_histogram = spec.kind == Kind::histogram;
  std::size_t fixed = exposition_name(spec).size() + kValue + (is_histogram ? kLastLabel : 0);
  for (const std::string& name : spec.label_names) fixed += name.size() + 3;
  const std::size_t lines = is_histogram ? spec.bounds.size() + 3 : 1;
  return 2 * (fixed + spec.help.size()) + lines * (family.size() * fixed + family.keys->size());
}

}  // namespace

void render_prometheus_text(std::string& out, const Snapshot& snapshot) {
  std::size_t size = out.size();
  for (const FamilySnapshot& family : snapshot.families) size += estimated_size(family);
  out.reserve(size);
  PageWriter writer(out);
  for (const FamilySnapshot& family : snapshot.families) {
    if (family.size() > 0) FamilyRenderer(writer, family).render();
  }
}

}  // namespace metricsd::exporters
