#include "repository/desired_state.hpp"

#include <algorithm>

#include "repository/cluster_files.hpp"
#include "repository/conflicts.hpp"
#include "repository/render_stack.hpp"
#include "repository/watched_snapshot.hpp"

namespace skep::repository {
namespace {

bool same_settings(const ClusterSettings& a, const ClusterSettings& b) {
  return a.variables == b.variables && a.defaults == b.defaults;
}

/// The stack of the previous state, if rendering again would give the same.
StackPointer unchanged(const ports::Snapshot& snapshot,
                       const StackSource& source,
                       const DesiredState* previous) {
  if (previous == nullptr) return nullptr;
  const auto at = std::find_if(
      previous->stacks.begin(), previous->stacks.end(), [&](const StackPointer& stack) {
        return stack->source.directory == source.directory;
      });
  if (at == previous->stacks.end()) return nullptr;
  const auto& old = **at;
  if (old.source.reads != source.reads || old.source.compose_files != source.compose_files ||
      old.source.values_files != source.values_files || old.source.overlooked != source.overlooked)
    return nullptr;
  if (old.source.findings != source.findings || !still_true(old.reads, snapshot)) return nullptr;
  if (old.conflicts.empty()) return *at;
  auto copy = std::make_shared<DesiredStack>(old);
  copy->conflicts.clear();
  return copy;
}

/// Where it could not be read as a whole, what it would read is not known.
StackPointer with_overlooked(StackPointer stack) {
  if (stack->broken()) return stack;
  Findings findings;
  for (const auto& [path, message] : stack->source.overlooked) {
    if (stack->reads.count(path.text()) == 0)
      findings.push_back({Finding::Severity::warning, message, {path.text()}});
  }
  if (findings.empty()) return stack;
  auto copy = std::make_shared<DesiredStack>(*stack);
  copy->findings.insert(copy->findings.end(), findings.begin(), findings.end());
  sort_and_unique(copy->findings);
  return copy;
}

}  // namespace

Findings DesiredStack::all_findings() const {
  auto all = findings;
  all.insert(all.end(), conflicts.begin(), conflicts.end());
  sort_and_unique(all);
  return all;
}

Findings DesiredState::all_findings() const {
  auto all = findings;
  all.insert(all.end(), file_findings.begin(), file_findings.end());
  sort_and_unique(all);
  return all;
}

bool DesiredState::says_the_same(const DesiredState& other) const {
  return revision.commit == other.revision.commit && findings == other.findings &&
         file_findings == other.file_findings &&
         std::equal(stacks.begin(),
                    stacks.end(),
                    other.stacks.begin(),
                    other.stacks.end(),
                    [](const auto& a, const auto& b) {
                      return a->source.name == b->source.name && a->content == b->content &&
                             a->secrets == b->secrets && a->deadlines == b->deadlines &&
                             a->findings == b->findings && a->conflicts == b->conflicts;
                    });
}

Result<DesiredState> load_desired_state(const ports::Snapshot& given,
                                        const LoadOptions& options,
                                        const DesiredState* previous) {
  const WatchedSnapshot snapshot(given);
  auto discovery = discover(snapshot, options.root, options.templates.environment);
  if (!discovery) return std::move(discovery).error();
  DesiredState state;
  state.revision = snapshot.revision();
  state.cluster = discovery->cluster;
  state.findings = discovery->findings;
  state.obstructed = discovery->obstructed;
  const auto unreadable = read_cluster_files(snapshot, options, state);
  if (previous != nullptr && !same_settings(previous->cluster, state.cluster)) previous = nullptr;
  TemplateShelf shelf(snapshot, options.root);
  for (auto& source : discovery->stacks) {
    auto stack = unchanged(snapshot, source, previous);
    if (!stack) {
      stack =
          with_overlooked(render_stack(snapshot, std::move(source), state.cluster, options, shelf));
      ++state.rendered;
    }
    state.stacks.push_back(std::move(stack));
  }
  for (const auto& source : discovery->disabled) state.disabled.push_back(source.name);
  check_names(state.stacks);
  check_ports(state.stacks);
  check_dependencies(state.stacks, state.cluster.groups);
  if (!unreadable.secrets.empty() || !unreadable.configs.empty())
    hold_users_of(unreadable, state.stacks);
  warn_of_shared_names(state.stacks);
  order_by_dependency(state.stacks);
  state.troubled = snapshot.troubled();
  return state;
}

Result<std::shared_ptr<const DesiredStack>> stack_at(const ports::Source& source,
                                                     const LoadOptions& options,
                                                     const std::string& commit,
                                                     const std::string& name) {
  const auto snapshot = source.snapshot_at(commit);
  if (!snapshot) return snapshot.error();
  auto state = load_desired_state(**snapshot, options, nullptr);
  if (!state) return std::move(state).error();
  for (const auto& stack : state->stacks) {
    if (stack->source.name != name) continue;
    if (stack->broken()) return to_error(stack->all_findings());
    return stack;
  }
  return Error{ErrorKind::invalid_input,
               "the revision " + commit.substr(0, 12) + " has no stack " + name};
}

}  // namespace skep::repository
