// One line, read by OperationReader, which knows a fast way for usual lines, and by the careful reader alone:
// both must say the same, with or without lines behind it.

#include "careful_operation_reader.h"
#include "fuzzing.h"

#include <metricsd/models/operation_json.h>
#include <metricsd/support/exact_text.h>
#include <metricsd/support/operation_text.h>

#include <string>
#include <string_view>

namespace {

using namespace metricsd;

// What read_usual_line() takes of a line that others follow, it reads as the careful reader does.
void check_first_line(OperationReader& reader, std::string_view line, const std::string& careful) {
  const support::ExactText lines(std::string(line) + "\n{}\n");
  OperationView operation;
  const std::size_t taken = reader.read_usual_line(lines.view(), operation);
  if (taken == 0) return;
  fuzz::check(taken == line.size() + 1, "it took more or less than the line");
  fuzz::check_same(support::text_of(operation) + " unknown " + std::to_string(reader.unknown_fields()),
                   careful, "the line before others is another operation");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const support::ExactText line(text);
  CarefulOperationReader careful_reader;
  OperationReader reader;
  const std::string careful = support::answer_of(careful_reader, line.view());
  fuzz::check_same(support::answer_of(reader, line.view()), careful, "the fast way is another operation");
  OperationReader reader_less(OperationReader::Throughput::left_out);
  fuzz::check_same(support::answer_of(reader_less, line.view()),
                   support::answer_of(careful_reader, line.view(), support::text_without_throughput),
                   "without its throughput it is another operation");
  if (text.find('\n') == std::string_view::npos) check_first_line(reader, text, careful);
  return 0;
}
