#pragma once

#include <string>
#include <vector>

#include "core/finding.hpp"
#include "reconciler/ports/checkout.hpp"
#include "repository/settings.hpp"
#include "repository/tree_reader.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::repository {

struct RepoFileOptions {
  RepoFiles mode = RepoFiles::config;
  std::vector<std::string> directories;  ///< As StackPolicy::repo_directories.
  std::string host_checkout;             ///< As LoadOptions::host_checkout.
};

/// Deals with bind mounts of files that live in the repository (design §7). `config`: a single
/// tracked file becomes a content-named config at the same target, a directory only where
/// `directories` names it; what git does not hold is looked for below `host_checkout`. `host`:
/// every path is passed on, below `host_checkout`. `checkout`: the same, and what git holds of it
/// is returned, sorted, to be written there first; a label of the containers tells its content. No
/// path of the repository is left in the stack afterwards without a finding.
std::vector<ports::CheckoutFile> resolve_repo_files(swarm::StackSpec& stack,
                                                    const RepoFileOptions& options,
                                                    const TreeReader& reader,
                                                    Findings& findings);

}  // namespace skep::repository
