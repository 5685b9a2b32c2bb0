#pragma once

#include <map>
#include <set>
#include <string>

#include "reconciler/access/access_policy.hpp"
#include "reconciler/ports/forwarding_engine.hpp"

namespace skep::reconciler {

/// An engine that refuses to write a service which its stack's profile does not allow: the one
/// place that every write of a service passes, whether it comes from git, a hook, a correction or a
/// way back (attack 7). Not for several threads.
class PolicedEngine final : public ports::ForwardingEngine {
 public:
  using ForwardingEngine::ForwardingEngine;

  /// What the services of a stack may ask for from now on. A stack that was never admitted may do
  /// nothing that a profile could forbid.
  void admit(const std::string& stack, AccessProfile profile, std::set<std::string> own_networks);

  /// Errors also: unauthorized, with what is not allowed.
  Result<ports::Written> create_service(const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<ports::Written> update_service(const swarm::ObjectId& id,
                                        swarm::ObjectVersion version,
                                        const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;

 private:
  struct Admission {
    AccessProfile profile;
    std::set<std::string> own_networks;
  };
  [[nodiscard]] Result<void> check(const swarm::ServiceSpec& spec) const;

  std::map<std::string, Admission> admissions_;  ///< By stack name.
};

}  // namespace skep::reconciler
