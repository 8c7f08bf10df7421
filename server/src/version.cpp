#include "version.h"

namespace metricsd::server {

std::string_view version() noexcept {
  return METRICSD_VERSION;
}

}  // namespace metricsd::server
