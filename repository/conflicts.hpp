#pragma once

#include <memory>
#include <string>
#include <vector>

#include "repository/desired_state.hpp"

/// What stacks of one repository do to each other. A conflict becomes a finding of the stacks that
/// make it, which may be shared with another state and are copied first.
namespace skep::repository {

using StackPointer = std::shared_ptr<const DesiredStack>;

/// Adds an error to the conflicts of `stack`.
void blame(StackPointer& stack, std::string message, SourcePosition at);

/// Two directories with one name, in whatever letter case, would take turns at destroying each
/// other's services (trap 11).
void check_names(std::vector<StackPointer>& stacks);

/// A port of the ingress network belongs to one service of the whole swarm (trap 6), and none may
/// have it on the nodes either. The stack that comes later in the order is refused.
void check_ports(std::vector<StackPointer>& stacks);

/// depends_on between stacks: unknown names and cycles, also those by way of a group that comes
/// after another one, are errors before any write.
void check_dependencies(std::vector<StackPointer>& stacks,
                        const std::vector<GroupSettings>& groups);

/// A name that two stacks give to their services on a network which both attach to: a warning.
void warn_of_shared_names(std::vector<StackPointer>& stacks);

/// Stacks after those that they depend on, otherwise in the order of groups. Cycles were refused
/// before.
void order_by_dependency(std::vector<StackPointer>& stacks);

}  // namespace skep::repository
