#include "helm-like-templates/catalog/catalog.hpp"

namespace skep::catalog {

const Template* find(std::string_view name) {
  for (const auto& candidate : all()) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

}  // namespace skep::catalog
