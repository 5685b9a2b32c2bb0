#include "helm-like-templates/package/json_equal.hpp"

#include <algorithm>

namespace skep::package {

std::optional<long double> number_of(const yaml::Node& node) {
  if (const auto* whole = node.as<std::int64_t>()) return static_cast<long double>(*whole);
  if (const auto* large = node.as<std::uint64_t>()) return static_cast<long double>(*large);
  if (const auto* real = node.as<double>()) return static_cast<long double>(*real);
  return std::nullopt;
}

bool json_equal(const yaml::Node& a, const yaml::Node& b, std::size_t& visited) {
  ++visited;
  if (const auto number = number_of(a)) return number == number_of(b);
  const auto* list = a.as<yaml::List>();
  if (list != nullptr) {
    const auto* other = b.as<yaml::List>();
    return other != nullptr && std::equal(list->begin(),
                                          list->end(),
                                          other->begin(),
                                          other->end(),
                                          [&](const yaml::Node& x, const yaml::Node& y) {
                                            return json_equal(x, y, visited);
                                          });
  }
  const auto* map = a.as<yaml::Map>();
  if (map != nullptr) {
    const auto* other = b.as<yaml::Map>();
    if (other == nullptr || other->size() != map->size()) return false;
    visited += map->size() * map->size() / 16;
    return std::all_of(map->begin(), map->end(), [&](const yaml::Entry& entry) {
      const auto* match = b.find(entry.key);
      return match != nullptr && json_equal(entry.value, *match, visited);
    });
  }
  return a.value() == b.value();
}

}  // namespace skep::package
