#include "role_book.h"

#include <metricsd/models/labels.h>

namespace metricsd::tools {

std::size_t RoleBook::find(std::string_view name, const Start& start) {
  if (name.empty()) name = "unknown";
  for (std::size_t index = 0; index < roles_.size(); ++index) {
    if (roles_[index].name == name) return index;
  }
  if (roles_.size() == kRoles) return kRoles - 1;
  if (roles_.size() == kRoles - 1) name = kOverflowLabel;
  roles_.push_back({.name = std::string(name), .start = start, .cost = {}});
  return roles_.size() - 1;
}

}  // namespace metricsd::tools
