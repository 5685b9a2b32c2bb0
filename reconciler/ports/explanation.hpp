#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::ports {

/// One link of the chain between a commit and a healthy stack.
struct Condition {
  enum class State {
    good,
    waiting,  ///< Comes right by itself.
    stopped,  ///< A person decided so, or must decide.
    failed,   ///< Something is wrong.
  };
  std::string name;  ///< git, files, swarm, ownership, suspension, quarantine, policy, order,
                     ///< drift, rollout, retry.
  State state = State::good;
  std::string text;
  std::string remedy = {};  ///< What to do about it; "" for nothing.
  std::optional<WallTime> since = {};
  std::optional<WallTime> until = {};  ///< When it ends, or is tried again, by itself.
};

[[nodiscard]] constexpr std::string_view to_string(Condition::State state) {
  switch (state) {
    case Condition::State::good:
      return "good";
    case Condition::State::waiting:
      return "waiting";
    case Condition::State::stopped:
      return "stopped";
    case Condition::State::failed:
      break;
  }
  return "failed";
}

struct ServiceExplanation {
  std::string name, image;
  std::uint64_t running = 0, desired = 0;
  std::string update_state;      ///< "" for none.
  std::string trouble;           ///< The engine's own words; "" for none.
  std::vector<std::string> log;  ///< The last lines, oldest first, where something is wrong.
};

/// Answers "why does it not run what git says?".
struct Explanation {
  std::string stack;                  ///< "group/name"
  std::string summary;                ///< One sentence: the first link that is not good.
  std::vector<Condition> conditions;  ///< In the order in which a commit passes them.
  std::vector<ServiceExplanation> services;
};

/// One task of a stack, as the swarm has it.
struct TaskStatus {
  std::string id, service, node;  ///< Ids of task and node; name of the service.
  std::uint64_t slot = 0;         ///< 0 where the service is global.
  std::string image;
  std::string state, desired_state;  ///< The engine's words: running, shutdown, failed …
  std::string message, error;        ///< The engine's words on it; "" for none.
  std::string timestamp;             ///< Of the state, RFC 3339.
};

/// Where a service comes from.
struct Trace {
  std::string service;                  ///< Its name in the swarm.
  std::string stack;                    ///< "group/name"
  std::string image;                    ///< As it runs; "" where it does not.
  std::optional<SourcePosition> at;     ///< Of its key in the compose file.
  Revision running;                     ///< The revision that the stack was last made from.
  std::optional<Revision> last_change;  ///< Of the file; nothing where that is not known.
  std::string note;  ///< What else a reader must know: git has moved on, rolled back …
};

}  // namespace skep::ports
