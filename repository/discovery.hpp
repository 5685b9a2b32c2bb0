#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "core/repo_path.hpp"
#include "core/result.hpp"
#include "reconciler/ports/source.hpp"
#include "repository/settings.hpp"
#include "repository/tree_reader.hpp"

namespace skep::repository {

/// One directory that is, or should be, a stack.
struct StackSource {
  std::string group;   ///< "apps"
  RepoPath directory;  ///< "apps/MY-APP", from the repository's root.
  std::string name;    ///< The stack's name in the swarm.
  StackSettings settings;
  std::vector<RepoPath> compose_files;  ///< In order; not all where there are errors. Of a stack
                                        ///< made from a template: what is laid over it.
  std::vector<RepoPath> values_files;   ///< For the template, later ones win.
  Findings findings;                    ///< Mistakes of this stack's own settings.
  /// Files that look as if they counted, and what is to be said where nothing reads them.
  std::map<RepoPath, std::string> overlooked;
  Reads reads;
};

struct Discovery {
  ClusterSettings cluster;
  std::vector<StackSource> stacks;    ///< In the order of groups, then by directory.
  std::vector<StackSource> disabled;  ///< `enabled: false`: as if they were not in git.
  Findings findings;                  ///< Of the cluster's skep.yaml: they freeze everything.
  std::map<std::string, std::string> obstructed;  ///< As DesiredState's.
};

/// What stands in a snapshot, by design §3: `skep.yaml`, then every directory of every group.
/// With an environment there come after a stack's files, where they are there: the variant of each,
/// `FILE.ENV.yml` of `FILE.yml`, then `docker-compose.ENV.yml`, and of its values files the variant
/// of each, `values.ENV.yaml` of `values.yaml`. What has such a name and is not read is warned of.
/// Errors: as Snapshot's; a repository in which nothing can be a stack is found and empty, which is
/// for the caller to doubt.
Result<Discovery> discover(const ports::Snapshot& snapshot,
                           const RepoPath& root,
                           const std::string& environment = "");

}  // namespace skep::repository
