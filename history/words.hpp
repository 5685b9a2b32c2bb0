#pragma once

#include <string_view>

#include "reconciler/ports/observer.hpp"

/// How kinds and verbs stand in the file.
namespace skep::history {

[[nodiscard]] inline std::string_view word_of(diff::ObjectKind kind) {
  switch (kind) {
    case diff::ObjectKind::network:
      return "network";
    case diff::ObjectKind::secret:
      return "secret";
    case diff::ObjectKind::config:
      return "config";
    case diff::ObjectKind::service:
      break;
  }
  return "service";
}

[[nodiscard]] inline std::string_view word_of(diff::Verb verb) {
  switch (verb) {
    case diff::Verb::create:
      return "create";
    case diff::Verb::remove:
      return "remove";
    case diff::Verb::replace:
      return "replace";
    case diff::Verb::update:
      break;
  }
  return "update";
}

[[nodiscard]] inline diff::ObjectKind kind_of(std::string_view word) {
  return word == "network"  ? diff::ObjectKind::network
         : word == "secret" ? diff::ObjectKind::secret
         : word == "config" ? diff::ObjectKind::config
                            : diff::ObjectKind::service;
}

[[nodiscard]] inline diff::Verb verb_of(std::string_view word) {
  return word == "create"    ? diff::Verb::create
         : word == "remove"  ? diff::Verb::remove
         : word == "replace" ? diff::Verb::replace
                             : diff::Verb::update;
}

}  // namespace skep::history
