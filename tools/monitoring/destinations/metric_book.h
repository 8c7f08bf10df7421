// Where figures of metric families are told: to a daemon by the client library, or to a registry of our own.
#pragma once

#include "metric_family.h"

#include <span>
#include <string_view>

namespace metricsd::tools {

// Values of a family's labels, in its order.
using LabelSpan = std::span<const std::string_view>;

// One thread. Families are told apart by their address. What can not be told is left out.
class MetricBook {
 public:
  virtual ~MetricBook() = default;

  // `amount` is finite and 0 or more.
  virtual void add(const MetricFamily& counter, LabelSpan labels, double amount) = 0;
  // `value` is finite.
  virtual void set(const MetricFamily& gauge, LabelSpan labels, double value) = 0;
  // `value` is finite and 0 or more.
  virtual void observe(const MetricFamily& histogram, LabelSpan labels, double value) = 0;
};

}  // namespace metricsd::tools
