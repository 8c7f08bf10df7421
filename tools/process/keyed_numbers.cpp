#include "keyed_numbers.h"

#include "text_scanner.h"

namespace metricsd::tools {

std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) {
  TextScanner scanner(text);
  do {
    if (scanner.rest_of_line().starts_with(key) && scanner.word() == key) return scanner.number();
  } while (scanner.next_line());
  return std::nullopt;
}

}  // namespace metricsd::tools
