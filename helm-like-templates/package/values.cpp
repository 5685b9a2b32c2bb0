#include "helm-like-templates/package/values.hpp"

#include <algorithm>
#include <utility>

namespace skep::package {
namespace {

/// Without the keys whose value is null, at any depth below maps.
yaml::Node without_nulls(const yaml::Node& node) {
  const auto* map = node.as<yaml::Map>();
  if (map == nullptr) return node;
  yaml::Map kept;
  for (const auto& entry : *map) {
    if (!entry.value.is_null())
      kept.push_back({entry.key, entry.key_at, without_nulls(entry.value)});
  }
  return {std::move(kept), node.at()};
}

}  // namespace

void merge(yaml::Node& base, yaml::Node over) {
  auto* from = over.as<yaml::Map>();
  auto* into = base.as<yaml::Map>();
  if (from == nullptr || into == nullptr) {
    base = std::move(over);
    return;
  }
  for (auto& entry : *from) {
    const auto at = std::find_if(
        into->begin(), into->end(), [&](const yaml::Entry& old) { return old.key == entry.key; });
    if (at == into->end()) {
      into->push_back(std::move(entry));
    } else {
      at->key_at = entry.key_at;
      merge(at->value, std::move(entry.value));
    }
  }
  // The place of a merged map is where it was written last: what is missing in it belongs there.
  base = yaml::Node(std::move(base.value()), over.at());
}

yaml::Node over_defaults(yaml::Node defaults, const yaml::Node& values) {
  const auto* from = values.as<yaml::Map>();
  auto* into = defaults.as<yaml::Map>();
  if (from == nullptr || into == nullptr) return without_nulls(values);
  for (const auto& entry : *from) {
    const auto at = std::find_if(
        into->begin(), into->end(), [&](const yaml::Entry& old) { return old.key == entry.key; });
    if (entry.value.is_null()) {
      if (at != into->end()) into->erase(at);
    } else if (at == into->end()) {
      into->push_back({entry.key, entry.key_at, without_nulls(entry.value)});
    } else {
      at->key_at = entry.key_at;
      at->value = over_defaults(std::move(at->value), entry.value);
    }
  }
  return {std::move(defaults.value()), values.at()};
}

}  // namespace skep::package
