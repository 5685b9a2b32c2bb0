#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "diff/normalise.hpp"
#include "diff/plan.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/json.hpp"
#include "swarm/labels.hpp"
#include "tests/paths.hpp"

namespace skep::diff::testing {

inline const std::string kStack(swarm::kStackLabel);
inline const std::string kImage(swarm::kImageLabel);
inline const std::string kKey(swarm::kKeyLabel);
inline const std::string kInstance(swarm::kInstanceLabel);

inline std::string testdata(const std::string& name) {
  std::ifstream file(std::string(SKEP_SOURCE_DIR) + "/tests/testdata/" + name);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string digest_of(char c) { return "sha256:" + std::string(64, c); }

/// A stack as the compose folder makes it; services have one network and what the test adds.
inline swarm::StackSpec stack(const std::string& name) {
  swarm::StackSpec spec;
  spec.name = swarm::StackName::parse(name).value();
  return spec;
}

inline swarm::ServiceSpec& add_service(swarm::StackSpec& stack,
                                       const std::string& key,
                                       const std::string& image = "busybox:1") {
  auto& service = stack.services[key];
  service.at = {"docker-compose.yml", 3, 3};
  auto& spec = service.spec;
  spec.name = stack.name.scope(key);
  spec.labels = {{kStack, stack.name.text()}, {kImage, image}};
  spec.task_template.container.image = swarm::familiar_tagged(image);
  spec.task_template.container.labels = {{kStack, stack.name.text()}};
  spec.task_template.container.privileges.emplace();
  spec.task_template.resources.emplace();
  spec.task_template.placement.emplace();
  spec.task_template.networks = {{stack.name.scope("default"), {key}, {}}};
  spec.mode.replicated.emplace();
  spec.endpoint_spec.emplace();
  auto& network = stack.networks["default"];
  network.name = stack.name.scope("default");
  network.labels = {{kStack, stack.name.text()}};
  return spec;
}

inline swarm::ConfigSpec& add_config(swarm::StackSpec& stack,
                                     const std::string& key,
                                     const std::string& data) {
  auto& config = stack.configs[key];
  config.name = stack.name.scope(key);
  config.labels = {{kStack, stack.name.text()}};
  config.data = data;
  return config;
}

inline swarm::SecretSpec& add_secret(swarm::StackSpec& stack,
                                     const std::string& key,
                                     const std::string& data) {
  auto& secret = stack.secrets[key];
  secret.name = stack.name.scope(key);
  secret.labels = {{kStack, stack.name.text()}};
  secret.data = Secret(data);
  return secret;
}

inline swarm::ContainerSpec& box(swarm::ServiceSpec& service) {
  return service.task_template.container;
}
inline void cite_config(swarm::ServiceSpec& service,
                        const std::string& name,
                        const std::string& target) {
  service.task_template.container.configs.push_back(
      {swarm::ReferenceFile{target, "0", "0", 0444}, {}, "", name});
}
inline void cite_secret(swarm::ServiceSpec& service,
                        const std::string& name,
                        const std::string& target) {
  service.task_template.container.secrets.push_back(
      {swarm::ReferenceFile{target, "0", "0", 0444}, "", name});
}
inline void publish(swarm::ServiceSpec& service, std::uint32_t published) {
  service.endpoint_spec->ports.push_back({"", "tcp", 80, published, "ingress"});
}
inline void mount_volume(swarm::ServiceSpec& service, const std::string& volume) {
  swarm::Mount mount;
  mount.type = "volume";
  mount.source = volume;
  mount.target = "/data";
  mount.volume_options.emplace();
  service.task_template.container.mounts.push_back(mount);
}

/// A swarm that does what a plan says, as an engine does: ids, versions, filled-in defaults,
/// PreviousSpec. Secrets' data is remembered beside the state.
class SimulatedSwarm {
 public:
  swarm::LiveState state;
  std::map<swarm::ObjectId, std::string> secret_data;
  std::size_t writes = 0;

  Policy policy() {
    Policy policy;
    policy.secret_holds = [this](const swarm::LiveSecret& live, const swarm::SecretSpec& spec) {
      return secret_data[live.id] == spec.data.reveal() ? SecretAnswer::same
                                                        : SecretAnswer::different;
    };
    policy.secret_suffix = [](const swarm::SecretSpec& spec) {
      return hmac_sha256_hex("test", spec.data.reveal()).substr(0, 8);
    };
    return policy;
  }

  void apply(const Plan& plan) {
    for (const auto& action : plan.actions) {
      ++writes;
      if (action.verb == Verb::remove || action.verb == Verb::replace) remove(action);
      if (action.verb == Verb::remove) continue;
      switch (action.kind) {
        case ObjectKind::network:
          create_network(named(plan.desired.networks, action.name));
          break;
        case ObjectKind::config:
          write_config(named(plan.desired.configs, action.name), action);
          break;
        case ObjectKind::secret:
          write_secret(named(plan.desired.secrets, action.name), action);
          break;
        case ObjectKind::service:
          write_service(plan.desired.services.at(action.key).spec, action);
          break;
      }
      state.normalise();
    }
  }
  swarm::LiveService& service(const std::string& name) {
    for (auto& service : state.services) {
      if (service.spec.name == name) return service;
    }
    throw std::logic_error("no service " + name);
  }
  swarm::LiveNetwork& add_network(const std::string& name, const std::string& scope = "swarm") {
    swarm::LiveNetwork network;
    network.id = next_id();
    network.scope = scope;
    network.spec.name = name;
    state.networks.push_back(network);
    state.normalise();
    return *std::find_if(state.networks.begin(), state.networks.end(), [&](const auto& entry) {
      return entry.id == network.id;
    });
  }
  swarm::ObjectId next_id() { return "id" + std::to_string(++ids_); }

 private:
  template <typename Spec>
  static const Spec& named(const std::map<std::string, Spec>& specs, const std::string& name) {
    for (const auto& [key, spec] : specs) {
      if (spec.name == name) return spec;
    }
    throw std::logic_error("a plan names what it does not desire: " + name);
  }
  template <typename Object>
  static void erase(std::vector<Object>& objects, const swarm::ObjectId& id) {
    const auto at = std::find_if(
        objects.begin(), objects.end(), [&](const auto& object) { return object.id == id; });
    if (at == objects.end()) throw std::logic_error("a plan removes what is not there: " + id);
    objects.erase(at);
  }
  void remove(const Action& action) {
    switch (action.kind) {
      case ObjectKind::network: {
        for (const auto& service : state.services) {
          for (const auto& network : service.spec.task_template.networks) {
            if (network.target == action.name)
              throw std::logic_error("network in use by service " + service.spec.name);
          }
        }
        erase(state.networks, action.live_id);
        break;
      }
      case ObjectKind::config:
        for (const auto& service : state.services) {
          for (const auto& reference : service.spec.task_template.container.configs) {
            if (reference.config_id == action.live_id) throw std::logic_error("config in use");
          }
        }
        erase(state.configs, action.live_id);
        break;
      case ObjectKind::secret:
        erase(state.secrets, action.live_id);
        break;
      case ObjectKind::service:
        erase(state.services, action.live_id);
        break;
    }
  }
  void create_network(const swarm::NetworkSpec& spec) {
    if (state.find_network(spec.name) != nullptr) throw std::logic_error("network name taken");
    swarm::LiveNetwork network{next_id(), "swarm", false, false, spec};
    network.spec.options["com.docker.network.driver.overlay.vxlanid_list"] = "4097";
    if (!network.spec.ipam) network.spec.ipam.emplace();
    network.spec.ipam->driver = "default";
    if (network.spec.ipam->config.empty()) network.spec.ipam->config = {{"10.0.1.0/24"}};
    state.networks.push_back(network);
  }
  void write_config(const swarm::ConfigSpec& spec, const Action& action) {
    if (action.verb == Verb::update) {
      for (auto& config : state.configs) {
        if (config.id != action.live_id) continue;
        if (config.data_sha256 != sha256_hex(spec.data))
          throw std::logic_error("only updates to Labels are allowed");
        config.labels = spec.labels;
      }
      return;
    }
    if (state.find_config(spec.name) != nullptr) throw std::logic_error("config name taken");
    if (spec.name.size() > 64) throw std::logic_error("config name too long");
    state.configs.push_back({next_id(),
                             1,
                             spec.name,
                             spec.labels,
                             spec.templating,
                             sha256_hex(spec.data),
                             spec.data.size()});
  }
  void write_secret(const swarm::SecretSpec& spec, const Action& action) {
    if (action.verb == Verb::update) {
      for (auto& secret : state.secrets) {
        if (secret.id == action.live_id) secret.labels = spec.labels;
      }
      return;
    }
    if (state.find_secret(spec.name) != nullptr) throw std::logic_error("secret name taken");
    const auto id = next_id();
    secret_data[id] = spec.data.reveal();
    state.secrets.push_back({id, 1, spec.name, spec.labels, spec.driver, spec.templating});
  }
  void write_service(swarm::ServiceSpec spec, const Action& action) {
    auto& container = spec.task_template.container;
    for (auto& reference : container.secrets) {
      const auto* secret = state.find_secret(reference.secret_name);
      if (secret == nullptr) throw std::logic_error("no secret " + reference.secret_name);
      reference.secret_id = secret->id;
    }
    for (auto& reference : container.configs) {
      const auto* config = state.find_config(reference.config_name);
      if (config == nullptr) throw std::logic_error("no config " + reference.config_name);
      reference.config_id = config->id;
      if (reference.runtime && container.privileges && container.privileges->credential_spec)
        container.privileges->credential_spec->config = config->id;
    }
    for (auto& network : spec.task_template.networks) {
      const auto* found = state.find_network(network.target);
      if (found != nullptr) network.target = found->id;
    }
    spec = engine_form(std::move(spec));
    if (action.verb == Verb::update) {
      for (auto& service : state.services) {
        if (service.id != action.live_id) continue;
        service.previous_references.clear();
        for (const auto& reference : service.spec.task_template.container.configs)
          service.previous_references.push_back(reference.config_id);
        for (const auto& reference : service.spec.task_template.container.secrets)
          service.previous_references.push_back(reference.secret_id);
        service.has_previous_spec = true;
        service.spec = std::move(spec);
        ++service.version;
        return;
      }
      throw std::logic_error("no service " + action.live_id);
    }
    if (state.find_service(spec.name) != nullptr) throw std::logic_error("service name taken");
    swarm::LiveService service;
    service.id = next_id();
    service.version = 1;
    service.spec = std::move(spec);
    state.services.push_back(std::move(service));
  }
  /// What the engine fills in and drops, written apart from the code that is tested.
  static swarm::ServiceSpec engine_form(swarm::ServiceSpec spec) {
    auto& task = spec.task_template;
    task.runtime = "container";
    if (task.container.isolation.empty()) task.container.isolation = "default";
    if (spec.mode.replicated && !spec.mode.replicated->replicas) spec.mode.replicated->replicas = 1;
    if (auto& job = spec.mode.replicated_job) {
      if (!job->max_concurrent) job->max_concurrent = 1;
      if (!job->total_completions) job->total_completions = 1;
    }
    if (!spec.endpoint_spec) spec.endpoint_spec.emplace();
    if (spec.endpoint_spec->mode.empty()) spec.endpoint_spec->mode = "vip";
    for (auto& port : spec.endpoint_spec->ports) {
      if (port.protocol.empty()) port.protocol = "tcp";
      if (port.mode.empty()) port.mode = "ingress";
    }
    for (auto* config : {&spec.update_config, &spec.rollback_config}) {
      if (!*config) continue;
      if ((*config)->failure_action.empty()) (*config)->failure_action = "pause";
      if ((*config)->order.empty()) (*config)->order = "stop-first";
    }
    if (auto& policy = task.restart_policy) {
      if (policy->condition.empty()) policy->condition = "any";
      if (!policy->max_attempts) policy->max_attempts = 0;
    }
    for (auto& mount : task.container.mounts) {
      if (mount.type.empty()) mount.type = "bind";
      mount.consistency.clear();
      if (mount.volume_options) mount.volume_options->subpath.clear();
      if (mount.bind_options == swarm::BindOptions{}) mount.bind_options.reset();
    }
    if (task.container.healthcheck) task.container.healthcheck->start_interval = {};
    return spec;
  }

  int ids_ = 0;
};

/// Plans and applies; the plan of the result must be empty.
inline Plan converge(SimulatedSwarm& swarm, const swarm::StackSpec& desired, const Policy& policy) {
  auto made = plan(desired, swarm.state, policy);
  EXPECT_FALSE(made.blocked()) << made.notes.front().text;
  swarm.apply(made);
  return made;
}

inline bool has_note(const Plan& plan, Note::Severity severity, const std::string& part) {
  return std::any_of(plan.notes.begin(), plan.notes.end(), [&](const Note& note) {
    return note.severity == severity && note.text.find(part) != std::string::npos;
  });
}

inline std::string all_notes(const Plan& plan) {
  std::string text;
  for (const auto& note : plan.notes) text += note.text + "\n";
  return text;
}

inline std::vector<std::string> verbs(const Plan& plan) {
  std::vector<std::string> result;
  for (const auto& action : plan.actions) {
    const char* verb = action.verb == Verb::create   ? "+"
                       : action.verb == Verb::remove ? "-"
                       : action.verb == Verb::update ? "~"
                                                     : "!";
    result.push_back(verb + action.name);
  }
  return result;
}

}  // namespace skep::diff::testing
