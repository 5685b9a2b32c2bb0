#include "reconciler/apply.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace skep::reconciler {
namespace {

using diff::Action;
using diff::ObjectKind;
using diff::Verb;

/// Names of secrets and configs → ids: of what is live, and of what this plan creates.
struct Ids {
  std::map<std::string, swarm::ObjectId> secrets, configs;
};

Result<void> fill_in_ids(swarm::ServiceSpec& spec, const Ids& ids, const swarm::LiveState& live) {
  const auto lookup =
      [](const auto& made, const std::string& name, const auto* found) -> swarm::ObjectId {
    if (const auto at = made.find(name); at != made.end()) return at->second;
    return found != nullptr ? found->id : swarm::ObjectId();
  };
  auto& container = spec.task_template.container;
  for (auto& reference : container.secrets) {
    reference.secret_id =
        lookup(ids.secrets, reference.secret_name, live.find_secret(reference.secret_name));
    if (reference.secret_id.empty())
      return Error{ErrorKind::invalid_input, "secret not found: " + reference.secret_name};
  }
  for (auto& reference : container.configs) {
    reference.config_id =
        lookup(ids.configs, reference.config_name, live.find_config(reference.config_name));
    if (reference.config_id.empty())
      return Error{ErrorKind::invalid_input, "config not found: " + reference.config_name};
    const bool credential = reference.runtime.has_value();
    auto& privileges = container.privileges;
    if (credential && privileges && privileges->credential_spec)
      privileges->credential_spec->config = reference.config_id;
  }
  return {};
}

template <typename Spec>
const Spec* find_named(const std::map<std::string, Spec>& specs, const std::string& name) {
  for (const auto& [key, spec] : specs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

class Application {
 public:
  Application(const diff::Plan& plan,
              const swarm::LiveState& live,
              ports::Engine& engine,
              std::stop_token stop)
      : plan_(plan), live_(live), engine_(engine), stop_(std::move(stop)) {}

  Result<std::vector<std::string>> carry_out(const Action& action) {
    switch (action.kind) {
      case ObjectKind::network:
        return network(action);
      case ObjectKind::secret:
        return secret(action);
      case ObjectKind::config:
        return config(action);
      case ObjectKind::service:
        break;
    }
    return service(action);
  }

 private:
  using Warnings = std::vector<std::string>;

  static Result<Warnings> done(Result<void> result) {
    if (!result) return std::move(result).error();
    return Warnings();
  }

  static Error lost(const Action& action) {
    return {ErrorKind::conflict, action.name + " is not there any more"};
  }

  Result<Warnings> network(const Action& action) {
    if (action.verb == Verb::remove) return done(engine_.remove_network(action.live_id, stop_));
    const auto* spec = find_named(plan_.desired.networks, action.name);
    if (spec == nullptr) throw std::logic_error("a plan creates a network that it does not desire");
    if (action.verb == Verb::replace) {
      auto removed = engine_.remove_network(action.live_id, stop_);
      if (!removed) return std::move(removed).error();
    }
    auto created = engine_.create_network(*spec, stop_);
    if (!created) return std::move(created).error();
    return std::move(created->warnings);
  }

  Result<Warnings> secret(const Action& action) {
    if (action.verb == Verb::remove) return done(engine_.remove_secret(action.live_id, stop_));
    const auto* spec = find_named(plan_.desired.secrets, action.name);
    if (spec == nullptr) throw std::logic_error("a plan creates a secret that it does not desire");
    if (action.verb == Verb::update) {
      const auto* found = live_.find_secret(action.name);
      if (found == nullptr) return lost(action);
      return done(engine_.update_secret(found->id, found->version, *spec, stop_));
    }
    if (action.verb == Verb::replace) {
      auto removed = engine_.remove_secret(action.live_id, stop_);
      if (!removed) return std::move(removed).error();
    }
    auto created = engine_.create_secret(*spec, stop_);
    if (!created) return std::move(created).error();
    ids_.secrets[action.name] = created->id;
    return std::move(created->warnings);
  }

  Result<Warnings> config(const Action& action) {
    if (action.verb == Verb::remove) return done(engine_.remove_config(action.live_id, stop_));
    const auto* spec = find_named(plan_.desired.configs, action.name);
    if (spec == nullptr) throw std::logic_error("a plan creates a config that it does not desire");
    if (action.verb == Verb::update) {
      const auto* found = live_.find_config(action.name);
      if (found == nullptr) return lost(action);
      return done(engine_.update_config(found->id, found->version, *spec, stop_));
    }
    if (action.verb == Verb::replace) {
      auto removed = engine_.remove_config(action.live_id, stop_);
      if (!removed) return std::move(removed).error();
    }
    auto created = engine_.create_config(*spec, stop_);
    if (!created) return std::move(created).error();
    ids_.configs[action.name] = created->id;
    return std::move(created->warnings);
  }

  Result<Warnings> service(const Action& action) {
    if (action.verb == Verb::remove) return done(engine_.remove_service(action.live_id, stop_));
    if (!action.gives_up.empty()) return give_up_ports(action);
    const auto at = plan_.desired.services.find(action.key);
    if (at == plan_.desired.services.end())
      throw std::logic_error("a plan writes a service that it does not desire");
    auto spec = at->second.spec;
    if (auto filled = fill_in_ids(spec, ids_, live_); !filled) return std::move(filled).error();
    if (action.verb == Verb::update) {
      const auto* found = live_.find_service(action.name);
      if (found == nullptr) return lost(action);
      auto updated = engine_.update_service(found->id, found->version, spec, stop_);
      if (!updated) return std::move(updated).error();
      return std::move(updated->warnings);
    }
    if (action.verb == Verb::replace) {
      auto removed = engine_.remove_service(action.live_id, stop_);
      if (!removed) return std::move(removed).error();
    }
    auto created = engine_.create_service(spec, stop_);
    if (!created) return std::move(created).error();
    return std::move(created->warnings);
  }

  /// Everything else stays as it is live: the rest of the change comes when the ports are free.
  Result<Warnings> give_up_ports(const Action& action) {
    const auto* found = live_.find_service(action.name);
    if (found == nullptr) return lost(action);
    auto spec = found->spec;
    if (spec.endpoint_spec) {
      std::erase_if(spec.endpoint_spec->ports, [&](const swarm::PublishedPort& port) {
        return std::any_of(
            action.gives_up.begin(), action.gives_up.end(), [&](const swarm::PublishedPort& taken) {
              return taken.published == port.published && port.mode != "host" &&
                     taken.protocol_or_tcp() == port.protocol_or_tcp();
            });
      });
    }
    auto updated = engine_.update_service(found->id, found->version, spec, stop_);
    if (!updated) return std::move(updated).error();
    return std::move(updated->warnings);
  }

  const diff::Plan& plan_;
  const swarm::LiveState& live_;
  ports::Engine& engine_;
  std::stop_token stop_;
  Ids ids_;
};

}  // namespace

bool waits_for_port(const Error& error) {
  return error.message.find("is already in use by service") != std::string::npos;
}

const Error* ApplyResult::first_error() const {
  for (const auto& result : results) {
    if (result.error) return &*result.error;
  }
  return nullptr;
}

std::size_t ApplyResult::writes() const {
  return static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [](const ActionResult& result) { return !result.error; }));
}

ApplyResult apply(const diff::Plan& plan,
                  const swarm::LiveState& live,
                  const ApplyOptions& options,
                  ports::Engine& engine,
                  ports::Observer& observer,
                  const std::function<void(const diff::Action&)>& on_action,
                  std::stop_token stop) {
  ApplyResult outcome;
  Application application(plan, live, engine, stop);
  bool ports_given_up = false;     // What takes them is planned from what is live then.
  bool foundation_failed = false;  // A network, secret or config that services of this plan need.
  for (const auto& action : plan.actions) {
    const bool deferred = action.verb == Verb::remove && !action.makes_room && !options.removals;
    const bool starts = action.kind == ObjectKind::service && action.verb != Verb::remove;
    const bool later = starts && ports_given_up && action.gives_up.empty();
    // What waits for another service to be up is not begun; that says nothing of its end.
    const bool held = starts && options.postponed.count(action.name) != 0;
    const bool in_the_way = action.kind == ObjectKind::network && action.verb == Verb::create &&
                            live.leaving_networks.contains(action.name);
    if (deferred || later || held || in_the_way) {
      outcome.postponed = true;
      continue;
    }
    if (foundation_failed) break;
    if (stop.stop_requested()) {
      outcome.results.push_back(
          {action, Error{ErrorKind::cancelled, "stopped before this was carried out"}, {}});
      break;
    }
    on_action(action);
    auto result = application.carry_out(action);
    const bool rotation = action.verb == Verb::create && action.reason.starts_with("replaces ");
    observer.wrote({action.kind, action.verb, result.has_value(), rotation});
    ports_given_up = ports_given_up || !action.gives_up.empty();
    if (result) {
      outcome.results.push_back({action, std::nullopt, std::move(*result)});
      continue;
    }
    foundation_failed = action.kind != ObjectKind::service && action.verb != Verb::remove;
    outcome.results.push_back({action, std::move(result).error().within(action.name), {}});
  }
  return outcome;
}

}  // namespace skep::reconciler
