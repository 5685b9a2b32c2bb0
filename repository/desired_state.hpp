#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compose/compose.hpp"
#include "core/finding.hpp"
#include "core/result.hpp"
#include "reconciler/ports/checkout.hpp"
#include "reconciler/ports/source.hpp"
#include "repository/discovery.hpp"
#include "repository/secret_digest.hpp"
#include "repository/template_stack.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::repository {

/// One stack as git wants it.
struct DesiredStack {
  StackSource source;
  swarm::StackSpec spec;  ///< Only to be used when there is no error among the findings.
  Findings findings;      ///< Of its own files.
  Findings conflicts;     ///< With other stacks of the same state: names, ports, dependencies.
  /// Short hash of what the stack renders to: tells "git moved" from "someone edited". It is
  /// written into the swarm, so values of secrets count only under LoadOptions::digest.
  std::string content;
  /// Hash of the secrets' values where `content` leaves them out, else "": for comparisons in this
  /// process, never told.
  std::string secrets;
  std::map<std::string, std::string> jobs;  ///< job_hashes() of `spec`.
  std::vector<Hook> hooks;  ///< Not among the services of `spec`, but counted in `content`.
  /// Those of its rollout and hooks, in seconds: what failed is tried again with other ones.
  std::string deadlines;
  /// What it mounts from the nodes' checkout of the repository (`repo_files: checkout`); sorted.
  std::vector<ports::CheckoutFile> checkout;
  /// Where something encrypted was read without a key: the same stack with other values in its
  /// place. What differs between the two is not known. Else null.
  std::shared_ptr<const DesiredStack> with_other_stand_ins;
  Reads reads;
  /// As Output of the same names, where LoadOptions::keep_compose asked for it.
  std::shared_ptr<const compose::ComposeFile> compose_file;
  compose::FileVersion compose_version;
  std::map<std::string, std::vector<SourcePosition>> origins;
  std::string template_version;  ///< Of the template that it is made from; "" where it has none.
  [[nodiscard]] bool broken() const { return has_errors(findings) || has_errors(conflicts); }
  /// Both kinds, sorted.
  [[nodiscard]] Findings all_findings() const;
};

/// Everything that git wants at one revision. Immutable once made.
struct DesiredState {
  ports::Revision revision;
  ClusterSettings cluster;
  std::vector<std::shared_ptr<const DesiredStack>>
      stacks;                              ///< In the order in which they are reconciled.
  std::vector<swarm::ConfigSpec> configs;  ///< Of the whole cluster: made where they are missing.
  std::vector<swarm::SecretSpec> secrets;
  std::vector<std::string> disabled;  ///< Names of stacks that are switched off.
  Findings findings;                  ///< Of no single stack; an error freezes everything.
  /// Of single secrets and configs of the cluster: whoever uses such a one is held, nobody else.
  Findings file_findings;
  /// Paths in the directories of groups where something else than a directory stands, and what:
  /// a stack that came from there is not "gone" (trap 14).
  std::map<std::string, std::string> obstructed;
  std::size_t rendered =
      0;  ///< Stacks that were rendered for this; the others came from the previous state.
  bool troubled = false;  ///< Some file could not be read, which may pass: worth another look.
  [[nodiscard]] bool broken() const { return has_errors(findings); }
  /// Those of no single stack, sorted.
  [[nodiscard]] Findings all_findings() const;
  /// The same stacks with the same content and the same mistakes.
  [[nodiscard]] bool says_the_same(const DesiredState& other) const;
};

struct LoadOptions {
  RepoPath root;  ///< Of the configuration inside the repository (`--path`).
  std::string host_checkout =
      {};  ///< Where the nodes have a checkout of the repository; "" nowhere.
  /// Files of the repository are mounted as `docker stack deploy` would mount them, below
  /// `host_checkout`, whatever `repo_files` says: for `skep eject`.
  bool repo_files_on_host = false;
  TemplateOptions templates = {};  ///< `--environment`, `--set`.
  /// How encrypted files are read; null: they are errors.
  std::shared_ptr<const Decryption> decryption = nullptr;
  SecretDigest digest = {};   ///< Of the swarm's digest key, where there is one.
  bool keep_compose = false;  ///< For `skep render`: the merged files are wanted too.
};

/// Renders every stack of a snapshot. A stack is taken from `previous` when all that its render
/// read is unchanged (design §2). Cross-stack mistakes (colliding names, a port that two stacks
/// publish, dependency cycles) become findings of the stacks that make them. Errors: unavailable
/// where the snapshot cannot be read: then nothing is known.
Result<DesiredState> load_desired_state(const ports::Snapshot& snapshot,
                                        const LoadOptions& options,
                                        const DesiredState* previous);

/// One stack as an older commit has it. Errors: unavailable where the source does not have that
/// commit any more, invalid_input where the stack was not in it or cannot be rendered.
Result<std::shared_ptr<const DesiredStack>> stack_at(const ports::Source& source,
                                                     const LoadOptions& options,
                                                     const std::string& commit,
                                                     const std::string& name);

}  // namespace skep::repository
