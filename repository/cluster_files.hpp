#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "repository/desired_state.hpp"

/// The secrets and configs of the whole cluster, which skep.yaml names files for.
namespace skep::repository {

/// Names of what the cluster cannot have → why.
struct UnreadableFiles {
  std::map<std::string, std::string> secrets, configs;
};

/// Fills `configs`, `secrets` and `file_findings` of a state from what its `cluster` names.
UnreadableFiles read_cluster_files(const ports::Snapshot& snapshot,
                                   const LoadOptions& options,
                                   DesiredState& state);

/// Promise 5: one file that cannot be read hurts those that use it.
void hold_users_of(const UnreadableFiles& unreadable,
                   std::vector<std::shared_ptr<const DesiredStack>>& stacks);

}  // namespace skep::repository
