// Samples of the families that peers define: what one must say for a family of its kind, and what it does to
// a series of it.
#pragma once

#include "sender.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/labels.h>
#include <metricsd/models/registry.h>

#include <string_view>
#include <vector>

namespace metricsd::server {

// Errors: label_mismatch, too_long.
[[nodiscard]] Result<> check_labels(const FamilySpec& spec, const LabelValues& labels);

// Takes it, for the family that the sender has bound its id to. `views` is reused, so that a sample allocates
// nothing. Errors: those of check_labels(); undefined_metric, wrong_type, out_of_range.
[[nodiscard]] Result<> apply_sample(Sender& sender, const ipc::Sample& sample, const Moment& now,
                                    std::vector<std::string_view>& views);

}  // namespace metricsd::server
