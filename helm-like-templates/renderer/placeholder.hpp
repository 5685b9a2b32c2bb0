#pragma once

#include <optional>
#include <string_view>

#include "helm-like-templates/renderer/ast.hpp"

namespace skep::templates {

/// Whether Swarm, not we, fills in an action: it names .Node, .Service or .Task fields that the
/// engine knows (Docker: "Create services using templates"), alone, with literals and the functions
/// that every Go template has. Such an action renders to itself.
[[nodiscard]] bool is_placeholder(const Pipe& pipe);

/// The first of Swarm's fields in an action; nullptr where there is none. In an action that is no
/// placeholder it is a mistake: its value is known only when a task starts.
[[nodiscard]] const Expr* swarm_field(const Pipe& pipe);

}  // namespace skep::templates
