#pragma once

#include "core/finding.hpp"
#include "reconciler/settings.hpp"
#include "reconciler/tree_reader.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::reconciler {

/// Deals with bind mounts of files that live in the repository (design §7). `config`: a single
/// tracked file becomes a content-named config at the same target. `host`: refused with the reason,
/// for the agent keeps no checkout on the nodes. No path of the repository is left in the stack
/// afterwards without a finding.
void resolve_repo_files(swarm::StackSpec& stack,
                        RepoFiles mode,
                        const TreeReader& reader,
                        Findings& findings);

}  // namespace skep::reconciler
