#include <algorithm>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "diff/network_diff.hpp"
#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// What the whole cluster shares, before any stack. What cannot be made is said, and tried again;
// the stacks that need it are blocked by its absence, the others go on (promise 5).
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstClusterRetry = 2s;
constexpr auto kLongestClusterRetry = 300s;

}  // namespace

bool Reconciler::put_off(const std::string& what, Turn& turn) {
  const auto trouble = cluster_troubles_.find(what);
  if (trouble == cluster_troubles_.end() || clock_.steady() >= trouble->second.retry_at)
    return false;
  turn.notes.push_back(trouble->second.message);
  turn.retry_at =
      std::min(turn.retry_at.value_or(trouble->second.retry_at), trouble->second.retry_at);
  return true;
}

Result<void> Reconciler::could_not_make(const std::string& what,
                                        const Error& error,
                                        Turn& turn,
                                        std::stop_token stop) {
  if (error.kind == ErrorKind::cancelled) return error;
  // Somebody else may have made it just now: look again at once, but not for ever.
  if (error.kind == ErrorKind::conflict && cluster_troubles_.count(what) == 0) turn.wrote = true;
  // An engine that does not answer at all is another matter: then nothing is known.
  if (auto answers = engine_.ping(std::move(stop)); !answers) return Error(error).within(what);
  auto& trouble = cluster_troubles_[what];
  auto message = what + " could not be made: " + error.message;
  mask(message);
  if (trouble.message != message)
    log_.error(logfmt("not made for the cluster", {{"what", what}, {"error", error.message}}));
  trouble.message = std::move(message);
  const auto doublings = std::min<std::uint64_t>(trouble.failures++, 10);
  const std::chrono::milliseconds wait = std::min<std::chrono::milliseconds>(
      kFirstClusterRetry * (1U << doublings), kLongestClusterRetry);
  trouble.retry_at = clock_.steady() + wait;
  turn.notes.push_back(trouble.message);
  turn.retry_by(trouble.retry_at);
  return {};
}

Result<void> Reconciler::ensure_networks(const repository::DesiredState& desired,
                                         swarm::LiveState& live,
                                         Turn& turn,
                                         std::stop_token stop) {
  std::vector<swarm::LiveNetwork> added;  // Lookups in `live` need it sorted.
  for (const auto& [name, wanted] : desired.cluster.networks) {
    const auto* found = live.find_network(name);
    if (found != nullptr) {
      auto differs = diff::names_of(diff::fixed_network_changes(found->spec, wanted));
      if (found->scope != "swarm") differs = "scope";
      if (!differs.empty()) {
        turn.notes.push_back("the shared network " + name + " differs from skep.yaml (" + differs +
                             "); it is never replaced: change skep.yaml, or remove the network by "
                             "hand when nothing uses it");
      }
      continue;
    }
    if (live.leaving_networks.contains(name)) {
      turn.notes.push_back("the shared network " + name +
                           " was removed; it is made again when the last task that used it ended");
      turn.moving = true;
      continue;
    }
    swarm::LiveNetwork created;
    created.scope = "swarm";
    created.spec = wanted;
    created.spec.labels[std::string(swarm::kInstanceLabel)] = options_.instance;
    if (options_.plan_only) {
      turn.notes.push_back("the shared network " + name + " will be created");
      turn.announces_writes = true;
    } else {
      const auto what = "the shared network " + name;
      if (put_off(what, turn)) continue;
      auto written = engine_.create_network(created.spec, stop);
      observer_.wrote({diff::ObjectKind::network, diff::Verb::create, written.has_value()});
      if (!written) {
        if (auto said = could_not_make(what, written.error(), turn, stop); !said) return said;
        continue;
      }
      cluster_troubles_.erase(what);
      log_.info(logfmt("shared network created", {{"network", name}}));
      created.id = written->id;
      turn.wrote = true;
    }
    added.push_back(std::move(created));
  }
  live.networks.insert(live.networks.end(), added.begin(), added.end());
  if (!added.empty()) live.normalise();
  return {};
}

Result<void> Reconciler::ensure_files(const repository::DesiredState& desired,
                                      swarm::LiveState& live,
                                      Turn& turn,
                                      std::stop_token stop) {
  std::vector<swarm::LiveConfig> configs;  // Lookups in `live` need it sorted.
  std::vector<swarm::LiveSecret> secrets;
  const auto ensure = [&](auto spec,
                          diff::ObjectKind kind,
                          const std::string& word,
                          bool there,
                          auto create,
                          auto add) -> Result<void> {
    if (there) return {};
    if (options_.plan_only) {
      turn.notes.push_back("the " + word + " " + spec.name + " will be created");
      turn.announces_writes = true;
      add(spec, swarm::ObjectId());
      return {};
    }
    const auto what = "the cluster's " + word + " " + spec.name;
    if (put_off(what, turn)) return {};
    spec.labels[std::string(swarm::kInstanceLabel)] = options_.instance;
    auto written = create(spec);
    observer_.wrote({kind, diff::Verb::create, written.has_value()});
    if (!written) return could_not_make(what, written.error(), turn, stop);
    cluster_troubles_.erase(what);
    log_.info(logfmt("created for the cluster", {{"kind", word}, {"name", spec.name}}));
    add(spec, written->id);
    turn.wrote = true;
    return {};
  };
  // A plan may be made without the key, and is about what would be done.
  const auto differs = [&](const std::string& word, const std::string& name) {
    if (options_.plan_only) return;
    turn.notes.push_back("the cluster's " + word + " " + name +
                         " is not what its file in git holds; it is never changed: give it a new "
                         "name, or remove it by hand when nothing uses it");
  };
  for (const auto& config : desired.configs) {
    const auto* live_config = live.find_config(config.name);
    if (live_config != nullptr && live_config->data_sha256 != sha256_hex(config.data))
      differs("config", config.name);
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
          configs.push_back(std::move(created));
        });
    if (!done) return done;
  }
  for (const auto& secret : desired.secrets) {
    const auto* live_secret = live.find_secret(secret.name);
    if (live_secret != nullptr && !options_.plan_only &&
        planner_.compare(*live_secret, secret, stop) == diff::SecretAnswer::different)
      differs("secret", secret.name);
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
          secrets.push_back(std::move(created));
        });
    if (!done) return done;
  }
  live.configs.insert(live.configs.end(), configs.begin(), configs.end());
  live.secrets.insert(live.secrets.end(), secrets.begin(), secrets.end());
  if (!configs.empty() || !secrets.empty()) live.normalise();
  return {};
}

void Reconciler::ensure_node_labels(const repository::DesiredState& desired,
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
        turn.announces_writes = true;
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
