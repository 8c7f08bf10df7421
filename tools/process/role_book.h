// What the processes of each role cost, the ended ones among them.
#pragma once

#include "boot_time.h"
#include "cost.h"
#include "cpu_share.h"
#include "process_sample.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

// One thread. Names stay valid as long as the book.
class RoleBook {
 public:
  struct Role {
    std::string name;
    Start start;  // of the first that was seen in it
    Cost cost;
    std::optional<CpuShare> share{};  // once it was in a sample
    bool is_short = false;            // in this sample: what some process did last is lost
    bool has_disk = false;            // some figure of its disk was ever read
  };

  // The role of this name, or, where there are kRoles of them, the one that takes in all others. `start` is
  // of who is in it.
  [[nodiscard]] std::size_t find(std::string_view name, const Start& start);

  [[nodiscard]] Role& operator[](std::size_t index) { return roles_[index]; }
  [[nodiscard]] auto begin() { return roles_.begin(); }
  [[nodiscard]] auto end() { return roles_.end(); }
  [[nodiscard]] std::size_t size() const { return roles_.size(); }
  [[nodiscard]] bool empty() const { return roles_.empty(); }

 private:
  std::deque<Role> roles_;
};

}  // namespace metricsd::tools
