// A registry's saved state, as bytes of a checkpoint whose checksum was right by chance or by malice: what
// does not load is refused, what loads can be shown, saved and loaded again.

#include "fuzzing.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/registry_image.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/support/exact_text.h>
#include <metricsd/support/exposition_parser.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace metricsd;

constexpr std::size_t kMaxSeries = 100;
constexpr Moment kNow{.wall = {1'767'225'600 * kNsPerSecond}, .monotonic_ns = 3'600 * kNsPerSecond};

std::string saved(Registry& registry) {
  std::string bytes;
  StateWriter writer(bytes);
  registry.save_all(writer, kNow);
  return bytes;
}

bool load(Registry& registry, std::string_view bytes) {
  StateReader reader(bytes);
  return registry.load(reader, kNow).has_value() && !reader.failed();
}

std::string page_of(const Registry& registry) {
  std::string page;
  exporters::render_prometheus_text(page, registry.image().snapshot(kNow.wall));
  return page;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const support::ExactText bytes({reinterpret_cast<const char*>(data), size});
  Registry registry(std::make_shared<Catalog>(kMaxSeries));
  if (!load(registry, bytes.view())) return 0;
  const std::string page = page_of(registry);
  try {
    (void)support::parse_exposition(page);
  } catch (const support::ExpositionError& error) {
    fuzz::check(false, std::string("what was loaded makes a wrong page: ") + error.what());
  }
  const std::string again = saved(registry);
  Registry copy(std::make_shared<Catalog>(kMaxSeries));
  fuzz::check(load(copy, again), "what was loaded is saved so that it does not load");
  fuzz::check_same(page_of(copy), page, "what was loaded is saved as something else");
  return 0;
}
