#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/finding.hpp"
#include "repository/cron.hpp"
#include "yaml/node.hpp"

/// When a stack may be changed (design §3, `windows`).
namespace skep::repository {

/// A stretch of time that begins whenever the clock on the wall of `timezone` shows what `cron`
/// says, and lasts `duration` of elapsed time. A beginning that the clock jumps over (summer time)
/// is the moment of the jump; one that it shows twice is the first of both.
struct Window {
  enum class Kind {
    deny,   ///< No change in it.
    allow,  ///< Where there is one, no change outside of all of them.
  };
  Kind kind = Kind::deny;
  Cron cron;
  std::chrono::seconds duration{};
  std::string timezone = "UTC";  ///< A name of the IANA database.
  SourcePosition at;
  /// Where it stands is not what it says.
  bool operator==(const Window& other) const {
    return kind == other.kind && cron == other.cron && duration == other.duration &&
           timezone == other.timezone;
  }
};

/// `windows:` of a skep.yaml. Everything that is wrong becomes a finding.
void read_windows(const yaml::Node& node, std::vector<Window>& into, Findings& findings);

/// Why nothing may be changed now.
struct Closed {
  std::string reason;             ///< For people, with the end where there is one.
  std::optional<WallTime> until;  ///< Nothing: no end in sight.
};

/// Nothing where changes are allowed at that moment.
[[nodiscard]] std::optional<Closed> closed_at(const std::vector<Window>& windows, WallTime now);

}  // namespace skep::repository
