#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "repository/ignore.hpp"
#include "swarm/service_spec.hpp"

namespace skep::reconciler {

/// Who else writes a field: one that had to be corrected more than three times within ten minutes
/// is left to the other side for ten minutes, and reported, instead of fought over (design §5).
class Contention {
 public:
  void corrected(const std::string& service,
                 const repository::ServicePointer& path,
                 SteadyTime now);
  struct Field {
    std::string service;  ///< Its key.
    repository::ServicePointer path;
    SteadyTime until{};  ///< Then it is corrected again.
  };
  /// Sorted by service and place.
  [[nodiscard]] std::vector<Field> contended(SteadyTime now) const;
  /// Git moved, or a person asks for what it says: what was fought over may be settled.
  void reset() { corrections_.clear(); }

 private:
  std::map<std::pair<std::string, repository::ServicePointer>, std::deque<SteadyTime>> corrections_;
};

/// Where two specs differ. A list counts as one place: its elements have no names.
[[nodiscard]] std::vector<repository::ServicePointer> differing_places(
    const swarm::ServiceSpec& desired, const swarm::ServiceSpec& live);

[[nodiscard]] std::string to_text(const repository::ServicePointer& path);

}  // namespace skep::reconciler
