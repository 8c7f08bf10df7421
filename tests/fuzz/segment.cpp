// The segment of a dead client: one as clients leave them, with a few bytes that are others, and perhaps cut.
// Whatever they are, it is read to its end or refused, and every operation that comes out of it is one.
//
//   input = cut patch*           numbers the lowest byte first
//   cut   = u16                  so many times 8 bytes are missing at the file's end
//   patch = u24 u8 bytes         at this place of the file (modulo its size) these bytes, as many as the u8
//   says

#include "fuzzing.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/operation_builder.h>
#include <metricsd/ipc/queue_reader.h>
#include <metricsd/ipc/ring_reader.h>
#include <metricsd/ipc/segment_lines.h>
#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation_json.h>
#include <metricsd/support/segment_image.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace metricsd;
using namespace metricsd::ipc;
using support::SegmentImage;

// More than a segment of this size can hold, of whatever there is in it.
constexpr std::size_t kEndless = 100'000;

SegmentImage whole_image() {
  SegmentImage image;
  const std::string upload = SegmentImage::record("upload", 1'000'000, 4096, "id-1");
  image.add_ring({.stream = 0,
                  .records = {upload, SegmentImage::record(1, 2'000), SegmentImage::record("list")},
                  .taken = 1,
                  .sequence = 1});
  // One record lies across the end of its ring.
  image.add_ring({.stream = 7,
                  .records = {upload, upload},
                  .start = SegmentImage::kPage - 24,
                  .written = 50,
                  .sequence = 40});
  image.add_dictionary({{"", "", ""}, {"get", "s3", "boto"}, {"put", "", ""}});
  image.add_queue(2, {SegmentImage::batch(7, 30, 3)});
  image.add_queue(1, {SegmentImage::batch(0, 1, 1), SegmentImage::batch(7, 20, 10)});
  image.add_run(
      {"{\"type\":\"run_start\",\"run\":{\"test_run_id\":\"r\"}}\n", "/tmp/r", "s3", "boto", "0f3a"});
  image.add_definitions("{\"type\":\"define\",\"id\":1,\"name\":\"a\",\"kind\":\"counter\"}\n");
  image.add_append(AppendState::appending, 100,
                   "{\"operation_type\":\"upload\",\"duration_ms\":1,\"success\":true}\n",
                   {{.stream = 0, .lines = 1, .first = 1}});
  image.set_loss(0, "ring", "full", 12);
  image.set_store("ffeeddccbbaa99887766554433221100", true);
  return image;
}

std::size_t take(std::string_view& input, std::size_t bytes) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < bytes && !input.empty(); ++i, input.remove_prefix(1)) {
    number |= std::size_t{static_cast<unsigned char>(input.front())} << (8 * i);
  }
  return number;
}

void damage(std::vector<std::byte>& bytes, std::string_view input) {
  const std::size_t missing = std::min(bytes.size(), 8 * take(input, 2));
  while (!input.empty()) {
    const std::size_t place = take(input, 3) % bytes.size();
    const std::size_t size = std::min({take(input, 1), input.size(), bytes.size() - place});
    std::transform(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size),
                   bytes.begin() + static_cast<std::ptrdiff_t>(place), [](char c) { return std::byte(c); });
    input.remove_prefix(size);
  }
  bytes.resize(bytes.size() - missing);
}

void check_operation(const OperationView& operation) {
  std::string line;
  encode(line, operation);
  OperationReader reader;
  OperationView again;
  const auto outcome = reader.read(std::string_view(line).substr(0, line.size() - 1), again);
  fuzz::check(outcome == OperationReader::Outcome::operation,
              "a record became what is no operation: " + line);
}

void read_rings(const SegmentReader& segment, const SegmentNames& names, RingReader::From from) {
  const SegmentRun& run = segment.run();
  OperationBuilder builder(
      {.workload_type = run.workload_type, .driver = run.driver, .id_prefix = run.id_prefix}, names,
      segment.timeline());
  for (const SegmentRing& ring : segment.rings()) {
    RingReader records(segment, ring, from);
    Record record;
    OperationView operation;
    std::size_t count = 0;
    for (auto more = records.next(record); more && *more; more = records.next(record)) {
      fuzz::check(++count < kEndless, "a ring without end");
      if (builder.build(record, ring.stream, records.ordinal(), operation)) check_operation(operation);
    }
    fuzz::check(records.unread() <= ring.capacity, "more records unread than find room");
  }
}

void read_queue(const SegmentReader& segment) {
  QueueReader queue(segment);
  QueuedLine line;
  std::size_t count = 0;
  for (auto more = queue.next(line); more && *more; more = queue.next(line)) {
    fuzz::check(++count < kEndless, "a queue without end");
    // Whether the line says what the entry says is for who folds it to see.
    fuzz::check(!line.line.empty() && line.first_seq >= 1 && line.first_seq <= line.last_seq,
                "an entry of the queue that contradicts itself");
  }
}

void read_lines(const SegmentReader& segment, const SegmentNames& names) {
  SegmentLines lines(segment, names);
  std::string line;
  std::size_t count = 0;
  for (auto more = lines.next(line); more && *more; more = lines.next(line)) {
    fuzz::check(++count < kEndless, "lines without end");
    fuzz::check(line.ends_with('\n') && line.find('\n') == line.size() - 1, "a line that is not one line");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SegmentImage kWhole = whole_image();
  SegmentImage image = kWhole;
  damage(image.bytes(), {reinterpret_cast<const char*>(data), size});
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  if (!segment) return 0;
  read_queue(*segment);
  for (std::size_t part = 0; part < segment->definition_parts(); ++part)
    (void)segment->read_definitions(part);
  const auto names = segment->read_names();
  if (!names) return 0;
  read_rings(*segment, *names, RingReader::From::queue);
  read_rings(*segment, *names, RingReader::From::files);
  read_lines(*segment, *names);
  return 0;
}
