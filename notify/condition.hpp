#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "notify/message.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::notify {

/// How a stack stands, as far as somebody would be told of it.
struct Condition {
  std::string reason;  ///< Of kReasons; "" while it is well.
  Story story;
  /// So long it must go on yet before anybody is told: what is put right soon is no news.
  std::chrono::milliseconds still{0};
};

/// Nothing while that is not settled: the swarm is not known, or a rollout goes on.
[[nodiscard]] std::optional<Condition> condition_of(const ports::StackStatus& stack, WallTime now);

/// The engine's own on each service that is not as it should be, the first five.
[[nodiscard]] std::vector<std::string> words_of(const ports::StackStatus& stack);

/// "update service web_app (image)" of each object that the operation touched, the first ten.
[[nodiscard]] std::vector<std::string> changes_of(const ports::SyncReport& report);

}  // namespace skep::notify
