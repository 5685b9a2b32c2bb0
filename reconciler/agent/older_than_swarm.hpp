#pragma once

#include <stop_token>
#include <string>

#include "reconciler/ports/engine.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::reconciler {

/// Why what an earlier process fetched is not to be carried out while git is away: a stack runs at
/// a commit that was never fetched here, so the state directory is older than the swarm (a restored
/// backup, a volume of another machine), and carrying it out would take the stack back. "" where it
/// may be. A source that keeps no older revisions cannot be asked.
[[nodiscard]] std::string older_than_swarm(const ports::Source& source,
                                           ports::Engine& engine,
                                           const std::string& instance,
                                           std::stop_token stop);

}  // namespace skep::reconciler
