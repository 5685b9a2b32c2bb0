#include <algorithm>

#include "core/logfmt.hpp"
#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// What the whole cluster shares, before any stack.
namespace skep::reconciler {

Result<void> Reconciler::ensure_networks(const DesiredState& desired,
                                         swarm::LiveState& live,
                                         Turn& turn,
                                         std::stop_token stop) {
  bool added = false;
  for (const auto& [name, wanted] : desired.cluster.networks) {
    const auto* found = live.find_network(name);
    if (found != nullptr) {
      const bool same = found->scope == "swarm" &&
                        (found->spec.driver.empty() || found->spec.driver == wanted.driver) &&
                        found->spec.attachable == wanted.attachable &&
                        found->spec.internal == wanted.internal;
      if (!same) {
        turn.notes.push_back("the shared network " + name +
                             " differs from skep.yaml; it is never replaced: change skep.yaml, or "
                             "remove the network by hand when nothing uses it");
      }
      continue;
    }
    swarm::LiveNetwork created;
    created.scope = "swarm";
    created.spec = wanted;
    created.spec.labels[std::string(swarm::kInstanceLabel)] = options_.instance;
    if (options_.plan_only) {
      turn.notes.push_back("the shared network " + name + " will be created");
    } else {
      auto written = engine_.create_network(created.spec, stop);
      observer_.wrote({diff::ObjectKind::network, diff::Verb::create, written.has_value()});
      if (!written) return std::move(written).error().within("shared network " + name);
      log_.info(logfmt("shared network created", {{"network", name}}));
      created.id = written->id;
      turn.wrote = true;
    }
    live.networks.push_back(std::move(created));
    added = true;
  }
  if (added) live.normalise();
  return {};
}

Result<void> Reconciler::ensure_files(const DesiredState& desired,
                                      swarm::LiveState& live,
                                      Turn& turn,
                                      std::stop_token stop) {
  bool added = false;
  const auto ensure = [&](auto spec,
                          diff::ObjectKind kind,
                          const std::string& word,
                          bool there,
                          auto create,
                          auto add) -> Result<void> {
    if (there) return {};
    if (options_.plan_only) {
      turn.notes.push_back("the " + word + " " + spec.name + " will be created");
      add(spec, swarm::ObjectId());
      added = true;
      return {};
    }
    spec.labels[std::string(swarm::kInstanceLabel)] = options_.instance;
    auto written = create(spec);
    observer_.wrote({kind, diff::Verb::create, written.has_value()});
    if (!written) return std::move(written).error().within("cluster " + word + " " + spec.name);
    log_.info(logfmt("created for the cluster", {{"kind", word}, {"name", spec.name}}));
    add(spec, written->id);
    added = true;
    turn.wrote = true;
    return {};
  };
  for (const auto& config : desired.configs) {
    auto done = ensure(
        config,
        diff::ObjectKind::config,
        "config",
        live.find_config(config.name) != nullptr,
        [&](const swarm::ConfigSpec& spec) { return engine_.create_config(spec, stop); },
        [&](const swarm::ConfigSpec& spec, const swarm::ObjectId& id) {
          swarm::LiveConfig created;
          created.id = id;
          created.name = spec.name;
          created.labels = spec.labels;
          live.configs.push_back(std::move(created));
        });
    if (!done) return done;
  }
  for (const auto& secret : desired.secrets) {
    auto done = ensure(
        secret,
        diff::ObjectKind::secret,
        "secret",
        live.find_secret(secret.name) != nullptr,
        [&](const swarm::SecretSpec& spec) { return engine_.create_secret(spec, stop); },
        [&](const swarm::SecretSpec& spec, const swarm::ObjectId& id) {
          swarm::LiveSecret created;
          created.id = id;
          created.name = spec.name;
          created.labels = spec.labels;
          live.secrets.push_back(std::move(created));
        });
    if (!done) return done;
  }
  if (added) live.normalise();
  return {};
}

void Reconciler::ensure_node_labels(const DesiredState& desired,
                                    swarm::LiveState& live,
                                    Turn& turn,
                                    std::stop_token stop) {
  for (const auto& [hostname, labels] : desired.cluster.nodes) {
    bool found = false;
    for (auto& node : live.nodes) {
      // Hostnames repeat: a node that joined anew leaves its twin, which is down (trap 40).
      if (node.hostname != hostname || node.state != "ready") continue;
      found = true;
      auto wanted = node;
      for (const auto& [key, value] : labels) wanted.labels[key] = value;
      if (wanted.labels == node.labels) continue;
      if (options_.plan_only) {
        turn.notes.push_back("the labels of node " + hostname + " will be set");
        continue;
      }
      const auto written = engine_.update_node(wanted, stop);
      if (written || written.error().kind == ErrorKind::conflict) {
        turn.wrote = true;
        if (written) log_.info(logfmt("node labels set", {{"node", hostname}}));
        continue;
      }
      // Stacks that need the label say so themselves; the others go on.
      turn.notes.push_back("the labels of node " + hostname +
                           " could not be set: " + written.error().message);
    }
    if (!found)
      turn.notes.push_back("skep.yaml names the node " + hostname +
                           ", which is not there or not ready");
  }
}

}  // namespace skep::reconciler
