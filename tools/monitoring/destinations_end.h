// The end of all destinations at once, which takes as long as the slowest of them.
#pragma once

#include "destination.h"

#include <functional>
#include <memory>
#include <span>

namespace metricsd::tools {

using SomeDestinations = std::span<const std::unique_ptr<Destination>>;

// Begins it.
void end_all(SomeDestinations destinations) noexcept;

// Waits for it, or until `is_enough`, which is asked again and again, says so.
void wait_for_all(SomeDestinations destinations, const std::function<bool()>& is_enough);

}  // namespace metricsd::tools
