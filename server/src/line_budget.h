// How often a repeated event may be logged: at most once a second for each of its reasons, with the number of
// events that the line stands for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::server {

// One thread. Reasons are our own words: few.
class LineBudget {
 public:
  // Notes one event. Its value, if there is one, says that a line may be written now, for that many events.
  [[nodiscard]] std::optional<std::uint64_t> spend(std::string_view reason, std::int64_t now_ns);

 private:
  struct Entry {
    std::int64_t next_line_ns = 0;
    std::uint64_t unlogged = 0;
  };

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace metricsd::server
