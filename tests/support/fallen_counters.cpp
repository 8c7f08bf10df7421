#include <metricsd/support/fallen_counters.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

namespace metricsd::support {
namespace {

// As a reader of the page knows it, escapes aside.
std::string series_text(const ExpositionSample& sample) {
  std::string text = sample.name;
  for (const auto& [name, value] : sample.labels) {
    text += (text.size() == sample.name.size() ? "{" : ",") + name + "=\"" + value + '"';
  }
  return sample.labels.empty() ? text : text + '}';
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

bool only_grows(const ExpositionFamily& family, const ExpositionSample& sample) {
  if (family.type == "counter") return true;
  if (family.type == "histogram") return sample.name != family.name + "_sum";
  return family.type == "summary" && sample.name == family.name + "_count";
}

bool is_excepted(const ExpositionFamily& family, const std::vector<std::string>& excepted) {
  return std::any_of(excepted.begin(), excepted.end(),
                     [&](const std::string& prefix) { return family.name.starts_with(prefix); });
}

// Calls `use` with each sample that only grows.
template <class Use>
void for_each_growing(const ExpositionPage& page, const std::vector<std::string>& excepted, const Use& use) {
  for (const ExpositionFamily& family : page.families) {
    if (is_excepted(family, excepted)) continue;
    for (const ExpositionSample& sample : family.samples) {
      if (only_grows(family, sample)) use(sample);
    }
  }
}

}  // namespace

std::vector<std::string> fallen_counters(const ExpositionPage& before, const ExpositionPage& after,
                                         const std::vector<std::string>& excepted) {
  std::unordered_map<std::string, double> now;
  for_each_growing(after, excepted,
                   [&](const ExpositionSample& sample) { now.emplace(series_text(sample), sample.value); });
  std::vector<std::string> fallen;
  for_each_growing(before, excepted, [&](const ExpositionSample& sample) {
    std::string text = series_text(sample);
    const auto found = now.find(text);
    if (found != now.end() && found->second >= sample.value) return;
    text += ": " + number_text(sample.value) + ", then ";
    fallen.push_back(text + (found == now.end() ? "gone" : number_text(found->second)));
  });
  return fallen;
}

}  // namespace metricsd::support
