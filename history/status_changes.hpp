#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "reconciler/ports/history.hpp"

namespace skep::history {

/// Tells what changed from one picture of all stacks to the next. Not for several threads.
class StatusChanges {
 public:
  struct Change {
    ports::EventRecord event;
    bool first = false;  ///< Of this process: what was before is not known here.
  };
  struct Changes {
    std::vector<Change> changed;
    std::vector<std::string> gone;  ///< Stacks that are not there any more.
  };
  /// Kinds: sync, health, drift, held, suspended, quarantined.
  [[nodiscard]] Changes next(const std::vector<ports::StackStatus>& stacks, WallTime now);

 private:
  using States = std::map<std::string, std::string>;  ///< Kind → value.
  std::map<std::string, States> known_;               ///< By "group/name".
};

}  // namespace skep::history
