#include "samples.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

namespace metricsd::server {
namespace {

bool is_finite_and_not_negative(double value) {
  return std::isfinite(value) && value >= 0;
}

// A counter never falls again: one absurd delta would drown all that follow.
bool is_counter_delta(double value) {
  return value >= 0 && value <= static_cast<double>(limits::kWhole);
}

// What one sample must say for a family of kind K.
template <class K>
Result<> check_values(const FamilySpec& spec, const ipc::Sample& sample) {
  const std::vector<double>& values = sample.values;
  if constexpr (K::kKind == Kind::histogram) {
    if (sample.delta && !sample.delta->fits(spec.bounds.size())) return Errc::out_of_range;
    if (!std::all_of(values.begin(), values.end(), is_finite_and_not_negative)) return Errc::out_of_range;
  } else {
    if (values.size() != 1) return Errc::wrong_type;
    if (!std::isfinite(values.front())) return Errc::out_of_range;
    if (K::kKind == Kind::counter && !is_counter_delta(values.front())) return Errc::out_of_range;
  }
  return {};
}

Result<> apply_values(Counter& counter, const ipc::Sample& sample, Gauge::Owner, const Moment&) {
  counter.apply(sample.values.front());
  return {};
}

Result<> apply_values(Gauge& gauge, const ipc::Sample& sample, Gauge::Owner owner, const Moment& now) {
  gauge.apply(owner, sample.values.front(), now.monotonic_ns);
  return {};
}

Result<> apply_values(Histogram& histogram, const ipc::Sample& sample, Gauge::Owner, const Moment&) {
  if (sample.delta && !histogram.apply(*sample.delta)) return Errc::out_of_range;
  for (const double value : sample.values) histogram.apply(value);
  return {};
}

}  // namespace

Result<> check_labels(const FamilySpec& spec, const LabelValues& labels) {
  if (labels.size() != spec.label_names.size()) return Errc::label_mismatch;
  const auto too_long = [](const std::string& label) { return label.size() > limits::kLabelValue; };
  if (std::any_of(labels.begin(), labels.end(), too_long)) return Errc::too_long;
  return {};
}

Result<> apply_sample(Sender& sender, const ipc::Sample& sample, const Moment& now,
                      std::vector<std::string_view>& views) {
  const auto bound = sender.defined.find(sample.id);
  if (bound == sender.defined.end()) return Errc::undefined_metric;
  return std::visit(
      [&]<class K>(Family<K>* family) -> Result<> {
        if (const auto checked = check_labels(family->spec(), sample.labels); !checked) return checked;
        if (const auto checked = check_values<K>(family->spec(), sample); !checked) return checked;
        if constexpr (K::kKind == Kind::gauge) sender.gauges.insert(family);
        views.assign(sample.labels.begin(), sample.labels.end());
        return apply_values(family->at(views, now), sample, sender.id, now);
      },
      bound->second);
}

}  // namespace metricsd::server
