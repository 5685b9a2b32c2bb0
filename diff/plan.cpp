#include "diff/plan.hpp"

#include <algorithm>
#include <tuple>

#include "diff/images.hpp"
#include "diff/planner.hpp"
#include "diff/words.hpp"
#include "swarm/labels.hpp"

namespace skep::diff {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

swarm::StringMap without_our_labels(swarm::StringMap labels) {
  for (const auto name : {swarm::kInstanceLabel, swarm::kKeyLabel, swarm::kDigestLabel})
    labels.erase(std::string(name));
  return labels;
}

bool Plan::touches_service(std::string_view name) const noexcept {
  return std::any_of(actions.begin(), actions.end(), [name](const Action& action) {
    return action.kind == ObjectKind::service && action.name == name;
  });
}

bool Plan::only_removals() const noexcept {
  return std::all_of(actions.begin(), actions.end(), [](const Action& action) {
    return action.verb == Verb::remove && !action.makes_room;
  });
}

bool Plan::only_collects_generations() const noexcept {
  return !actions.empty() &&
         std::all_of(actions.begin(), actions.end(), [this](const Action& action) {
           if (action.verb != Verb::remove) return false;
           if (action.kind == ObjectKind::config) return desired.configs.count(action.key) != 0;
           return action.kind == ObjectKind::secret && desired.secrets.count(action.key) != 0;
         });
}

bool Plan::blocked() const noexcept {
  return std::any_of(notes.begin(), notes.end(), [](const Note& note) {
    return note.severity == Note::Severity::blocked;
  });
}

Planner::Planner(const swarm::StackSpec& desired, const LiveIndex& live, const Policy& policy)
    : wanted_(desired), live_(live), own_(live.stack(desired.name.text())), policy_(policy) {
  plan_.stack = desired.name;
  plan_.desired = desired;
}

Plan Planner::make() && {
  find_removed_services();
  check_external_networks();
  plan_networks();
  plan_secrets();
  plan_configs();
  check_external_objects();
  rewrite_references();
  plan_services();
  remove_services();
  collect_objects();
  collect_networks();
  order_services();
  for (auto& action : removals_) plan_.actions.push_back(std::move(action));
  plan_.actions.insert(plan_.actions.begin(), first_.begin(), first_.end());
  std::stable_sort(plan_.notes.begin(), plan_.notes.end(), [](const Note& a, const Note& b) {
    return std::tie(b.severity, a.text) < std::tie(a.severity, b.text);
  });
  plan_.notes.erase(std::unique(plan_.notes.begin(), plan_.notes.end()), plan_.notes.end());
  return std::move(plan_);
}

void Planner::note(Note::Severity severity,
                   std::string text,
                   const std::optional<SourcePosition>& at) {
  plan_.notes.push_back({severity, printable(text), at});
}

bool Planner::owns(const swarm::StringMap& labels) const {
  const auto at = labels.find(std::string(swarm::kStackLabel));
  return at != labels.end() && at->second == wanted_.name.text();
}

std::string Planner::key_of(const std::string& name) const {
  const auto prefix = wanted_.name.scope("");
  return name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
}

const swarm::LiveService* Planner::own_service(const std::string& name) const {
  const auto* service = live_.state().find_service(name);
  const bool own = service != nullptr && swarm::stack_of(service->spec) == wanted_.name.text();
  return own ? service : nullptr;
}

bool Planner::is_cited(const swarm::ObjectId& id) const {
  const auto& citing = live_.citing(id);
  return std::any_of(citing.begin(), citing.end(), [&](const auto* service) {
    return removed_.count(service->spec.name) == 0;
  });
}

void Planner::put_instance_label(swarm::StringMap& labels) const {
  if (policy_.instance) labels[std::string(swarm::kInstanceLabel)] = *policy_.instance;
}

std::vector<std::string> images_to_resolve(const swarm::StackSpec& desired,
                                           const LiveIndex& live,
                                           const Policy& policy) {
  std::set<std::string> images;
  for (const auto& [key, service] : desired.services) {
    const auto* found = live.state().find_service(service.spec.name);
    if (found != nullptr && swarm::stack_of(found->spec) != desired.name.text()) found = nullptr;
    if (wants_answer(service.spec, found, policy))
      images.insert(service.spec.task_template.container.image);
  }
  return {images.begin(), images.end()};
}

std::vector<std::string> images_to_resolve(const swarm::StackSpec& desired,
                                           const swarm::LiveState& live,
                                           const Policy& policy) {
  return images_to_resolve(desired, LiveIndex(live), policy);
}

Plan plan(const swarm::StackSpec& desired, const LiveIndex& live, const Policy& policy) {
  return Planner(desired, live, policy).make();
}

Plan plan(const swarm::StackSpec& desired, const swarm::LiveState& live, const Policy& policy) {
  return plan(desired, LiveIndex(live), policy);
}

}  // namespace skep::diff
