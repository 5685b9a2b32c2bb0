#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace skep::notify {

/// One stack (or git, or the swarm) of a message: what a person needs who reads it on a telephone.
struct Story {
  std::string stack;                  ///< "group/name"; "git" and "swarm" for what concerns all.
  std::string revision;               ///< Commit that git wants; "" where there is none.
  std::string author, subject, link;  ///< Of it; "" where not known.
  std::string what;                   ///< In one sentence.
  std::vector<std::string> words;     ///< The engine's own, of tasks that fail.
  std::vector<std::string> changes;   ///< What the last operation changed: names, never values.
  std::string done;                   ///< What skep did about it; "" for nothing.
  std::string remedy;                 ///< What to do; "" for nothing.
  bool gone = false;                  ///< It left git, and its trouble with it; for the title.
  bool operator==(const Story&) const = default;
};

/// As a story's stack, what concerns all.
inline constexpr const char* kGit = "git";
inline constexpr const char* kSwarm = "swarm";

enum class Severity { good, notice, problem };

struct Message {
  std::string reason;  ///< One of kReasons.
  std::string instance;
  WallTime at{};
  std::vector<Story> stories;  ///< At least one; several where an outage hit many.
  bool operator==(const Message&) const = default;
};

inline constexpr std::string_view kReasons[] = {"failed",
                                                "broken",
                                                "blocked",
                                                "degraded",
                                                "rolled_back",
                                                "held",
                                                "contended",
                                                "drift",
                                                "drift_healed",
                                                "unreachable",
                                                "recovered"};

/// What is said of `stack` (a story's) that is well again after `reason`.
[[nodiscard]] std::string recovery_from(std::string_view reason, std::string_view stack);
/// What is said of one that is no more, and was in trouble for `reason`.
[[nodiscard]] std::string end_of(std::string_view reason);
[[nodiscard]] Severity severity_of(std::string_view reason);
[[nodiscard]] std::string_view to_string(Severity severity);
/// "apps/web could not be deployed", "prod: 7 stacks could not be deployed": an instance that has a
/// name of its own is named.
[[nodiscard]] std::string title_of(const Message& message);
/// All of it as plain text, some lines a story.
[[nodiscard]] std::string text_of(const Message& message);
/// The same, made shorter until it fits where messages are limited: shorter sentences first, then
/// fewer stories and "and N more". The last resort is cut by nobody, and may not fit.
[[nodiscard]] std::string text_within(const Message& message,
                                      const std::function<bool(const std::string&)>& fits);

/// The form of docs/notifications.md, which generic webhooks send, templates get as their data, and
/// the outbox keeps. `id` is the delivery's.
[[nodiscard]] std::string to_json(const Message& message, const std::string& id);
/// Of `stacks` in that form.
[[nodiscard]] std::vector<Story> stories_of(std::string_view json);

}  // namespace skep::notify
