#pragma once

#include <string_view>

#include "reconciler/ports/observer.hpp"

/// Kinds and verbs as diff::word_of wrote them into the file.
namespace skep::history {

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
