#pragma once

#include <memory>

#include "repository/desired_state.hpp"

namespace skep::repository {

/// One directory → what its stack is to be: variables, templates, compose files, files of the tree,
/// hooks. What is wrong becomes a finding of the stack. `shelf` holds the templates of `snapshot`.
[[nodiscard]] std::shared_ptr<const DesiredStack> render_stack(const ports::Snapshot& snapshot,
                                                               StackSource source,
                                                               const ClusterSettings& cluster,
                                                               const LoadOptions& options,
                                                               TemplateShelf& shelf);

}  // namespace skep::repository
