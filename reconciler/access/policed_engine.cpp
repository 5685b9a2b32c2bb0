#include "reconciler/access/policed_engine.hpp"

#include "reconciler/access/access_breaches.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {

void PolicedEngine::admit(const std::string& stack,
                          AccessProfile profile,
                          std::set<std::string> own_networks) {
  admissions_[stack] = {std::move(profile), std::move(own_networks)};
}

Result<void> PolicedEngine::check(const swarm::ServiceSpec& spec) const {
  static const Admission kNobody;
  const auto label = spec.labels.find(std::string(swarm::kStackLabel));
  const auto known =
      label == spec.labels.end() ? admissions_.end() : admissions_.find(label->second);
  const auto& [profile, own_networks] = known == admissions_.end() ? kNobody : known->second;
  const auto found = breaches(spec, profile, own_networks);
  if (found.empty()) return {};
  std::string message = "the agent's policy refuses it: it may not ";
  for (const auto& breach : found)
    message += (&breach == &found.front() ? "" : ", may not ") + breach.message;
  return Error{ErrorKind::unauthorized, std::move(message)};
}

Result<ports::Written> PolicedEngine::create_service(const swarm::ServiceSpec& spec,
                                                     std::stop_token stop) {
  if (auto allowed = check(spec); !allowed) return std::move(allowed).error();
  return ForwardingEngine::create_service(spec, std::move(stop));
}

Result<ports::Written> PolicedEngine::update_service(const swarm::ObjectId& id,
                                                     swarm::ObjectVersion version,
                                                     const swarm::ServiceSpec& spec,
                                                     std::stop_token stop) {
  if (auto allowed = check(spec); !allowed) return std::move(allowed).error();
  return ForwardingEngine::update_service(id, version, spec, std::move(stop));
}

}  // namespace skep::reconciler
