#include <metricsd/models/labels.h>
#include <metricsd/models/registry_image.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace metricsd {
namespace {

// The list of shape S; the first series of a family decides which that is, and the others are of its kind.
template <class S>
SeriesOf<S>& list_of(FamilySnapshot& family) {
  if (!std::holds_alternative<SeriesOf<S>>(family.series)) family.series.emplace<SeriesOf<S>>();
  return std::get<SeriesOf<S>>(family.series);
}

}  // namespace

template <class K>
void FamilyImage<K>::add(std::string_view key, Timestamp created, std::int64_t touched_ns, K state) {
  series_.push_back(
      {keys_.size(), static_cast<std::uint32_t>(key.size()), created, touched_ns, std::move(state)});
  keys_ += key;
}

template <class K>
SeriesOrder::Permutation FamilyImage<K>::order() const {
  return known_order_->of(layout_, series_.size(), [this](std::uint32_t i) { return key_of(series_[i]); });
}

// Both are walked in the order of their keys; what comes of it lies in that order.
template <class K>
void FamilyImage<K>::merge(FamilyImage&& other) {
  FamilyImage merged(spec_, std::make_shared<SeriesOrder>(), 0);
  merged.refused_ = refused_ + other.refused_;
  merged.series_.reserve(std::max(series_.size(), other.series_.size()));
  merged.keys_.reserve(std::max(keys_.size(), other.keys_.size()));
  const auto take = [&merged](FamilyImage& from, SeriesImage<K>& series) {
    const std::string_view key = from.key_of(series);
    merged.series_.push_back(std::move(series));
    merged.series_.back().key_begin = merged.keys_.size();
    merged.keys_ += key;
  };
  const SeriesOrder::Permutation our_order = order();
  const SeriesOrder::Permutation their_order = other.order();
  auto theirs = their_order->begin();
  for (const std::uint32_t place : *our_order) {
    SeriesImage<K>& ours = series_[place];
    const std::string_view key = key_of(ours);
    for (; theirs != their_order->end() && comes_before(other.key_of(other.series_[*theirs]), key);
         ++theirs) {
      take(other, other.series_[*theirs]);
    }
    if (theirs != their_order->end() && other.key_of(other.series_[*theirs]) == key) {
      const SeriesImage<K>& same = other.series_[*theirs++];
      ours.state.merge(same.state);
      ours.created = std::min(ours.created, same.created);
      ours.touched_ns = std::max(ours.touched_ns, same.touched_ns);
    }
    take(*this, ours);
  }
  for (; theirs != their_order->end(); ++theirs) take(other, other.series_[*theirs]);
  *this = std::move(merged);
}

template <class K>
std::vector<std::string> FamilyImage<K>::take_idle(std::int64_t before_ns, const SeriesChoice* among) {
  std::vector<std::string> keys;
  if (among != nullptr && !among->has_some_of(*spec_)) return keys;
  const auto is_idle = [&](const SeriesImage<K>& series) {
    if (series.touched_ns >= before_ns || series.state.is_held()) return false;
    if (among != nullptr && !among->has(*spec_, key_of(series))) return false;
    keys.emplace_back(key_of(series));
    return true;
  };
  std::erase_if(series_, is_idle);
  if (!keys.empty()) forget_order();
  return keys;
}

template <class K>
FamilySnapshot FamilyImage<K>::snapshot() && {
  const SeriesOrder::Permutation shown = order();
  auto keys = std::make_shared<const std::string>(std::move(keys_));
  FamilySnapshot out{spec_, {}, keys};
  for (const std::uint32_t place : *shown) {
    SeriesImage<K>& series = series_[place];
    std::optional<Shape> shape = std::move(series.state).show();
    if (!shape) continue;
    std::visit(
        [&]<class S>(S& value) {
          SeriesOf<S>& list = list_of<S>(out);
          if (list.empty()) list.reserve(series_.size());
          list.push_back({std::string_view(*keys).substr(series.key_begin, series.key_size), series.created,
                          std::move(value)});
        },
        *shape);
  }
  series_.clear();
  return out;
}

template class FamilyImage<Counter>;
template class FamilyImage<Gauge>;
template class FamilyImage<Histogram>;

void RegistryImage::merge(RegistryImage&& other) {
  for (auto& theirs : other.families_) {
    std::visit(
        [this, &theirs](auto& family) {
          AnyFamily*& ours = by_spec_[&family.spec()];
          if (ours == nullptr) {
            ours = theirs.get();
            families_.push_back(std::move(theirs));
          } else {
            std::get<std::decay_t<decltype(family)>>(*ours).merge(std::move(family));
          }
        },
        *theirs);
  }
  other.families_.clear();
  other.by_spec_.clear();
}

SeriesKeys RegistryImage::take_idle(std::int64_t before_ns, const SeriesChoice* among) {
  SeriesKeys keys;
  for (const auto& any : families_) {
    std::visit(
        [&keys, before_ns, among](auto& family) {
          std::vector<std::string> idle = family.take_idle(before_ns, among);
          if (!idle.empty()) keys.emplace(&family.spec(), std::move(idle));
        },
        *any);
  }
  return keys;
}

std::uint64_t RegistryImage::refused() const {
  std::uint64_t observations = 0;
  for (const auto& any : families_) {
    observations += std::visit([](const auto& family) { return family.refused(); }, *any);
  }
  return observations;
}

Snapshot RegistryImage::snapshot(Timestamp now) && {
  Snapshot out{now, {}};
  out.families.reserve(families_.size());
  for (const auto& any : families_) {
    std::visit([&out](auto& family) { out.families.push_back(std::move(family).snapshot()); }, *any);
  }
  families_.clear();
  by_spec_.clear();
  std::sort(out.families.begin(), out.families.end(), [](const FamilySnapshot& a, const FamilySnapshot& b) {
    return exposition_name(*a.spec) < exposition_name(*b.spec);
  });
  return out;
}

}  // namespace metricsd
