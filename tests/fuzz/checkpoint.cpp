// What a data directory may hold, once as the body of a checkpoint's frame, whose checksum was right by
// chance or by malice, and once as a whole file. What does not load is refused; what loads can be shown,
// saved and loaded again as the same.

#include "checkpoint/checkpoint_body.h"
#include "checkpoint/files.h"
#include "checkpoint/frame.h"
#include "checkpoint/replica.h"
#include "fuzzing.h"
#include "tasks/tasks_json.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/exact_text.h>
#include <metricsd/support/exposition_parser.h>
#include <metricsd/support/temporary_directory.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace {

using namespace metricsd;
using namespace metricsd::server;

constexpr std::size_t kMaxSeries = 100;
constexpr std::size_t kShards = 4;

// Of all shards; nothing where one of the cuts is none.
std::optional<Replicas> load(std::string_view bytes) {
  const auto body = decode_checkpoint(bytes);
  if (!body || body->cuts.size() > kShards) return std::nullopt;
  const auto catalog = std::make_shared<Catalog>(kMaxSeries);
  Replicas replicas;
  for (const std::string_view cut : body->cuts) {
    replicas.push_back(std::make_unique<Replica>(catalog));
    if (!replicas.back()->load(cut, body->head.at)) return std::nullopt;
  }
  return replicas;
}

std::string saved(const Replicas& replicas, const CheckpointHead& head) {
  std::vector<std::string> cuts(replicas.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) replicas[i]->save(cuts[i], {head.at, head.running_ns});
  return encode(head, cuts);
}

std::string tasks_of(const Replica& replica) {
  std::string document;
  render_processes_json(document, replica.tasks());
  fuzz::check(parse_json(document).has_value(), "what was loaded of tasks is no JSON");
  replica.tasks().look([&document](const Tasks& tasks) {
    for (const auto& [id, task] : tasks) {
      for (const auto& [name, role] : task.roles) {
        for (const std::string& sample : role.page(0, limits::kTaskHistory)) document += "\n" + sample;
      }
    }
  });
  return document;
}

std::string page_of(const Replicas& replicas) {
  std::string pages;
  for (const auto& replica : replicas) {
    ShardReport report = replica->report({.registry = true, .run_statistics = true, .clients = true});
    std::string page;
    exporters::render_prometheus_text(page, std::move(*report.registry).snapshot({}));
    try {
      (void)support::parse_exposition(page);
    } catch (const support::ExpositionError& error) {
      fuzz::check(false, std::string("what was loaded makes a wrong page: ") + error.what());
    }
    pages += page + std::to_string(report.totals.operations) + " " + std::to_string(report.known_clients) +
             "\n" + tasks_of(*replica);
  }
  return pages;
}

void check_body(std::string_view bytes) {
  const support::ExactText exact(bytes);
  const auto replicas = load(exact.view());
  if (!replicas) return;
  const std::string page = page_of(*replicas);
  const auto again = load(saved(*replicas, decode_checkpoint(exact.view())->head));
  fuzz::check(again.has_value(), "what was loaded is saved so that it does not load");
  fuzz::check_same(page, page_of(*again), "what was loaded is saved as something else");
}

void check_file(std::string_view bytes) {
  static const support::TemporaryDirectory directory;
  const auto path = directory.path() / "checkpoint";
  std::ofstream(path, std::ios::binary) << bytes;
  auto reader = FrameReader::open(system_files(), path);
  fuzz::check(reader.has_value(), "a file that is there does not open");
  while (const auto frame = reader->next()) {
    (void)load(frame->body);
    fuzz::check(reader->size() <= bytes.size(), "frames that are not in the file");
  }
  (void)reader->end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_body(bytes);
  check_file(bytes);
  return 0;
}
