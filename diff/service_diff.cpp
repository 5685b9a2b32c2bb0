#include "diff/service_diff.hpp"

#include "diff/differ.hpp"
#include "diff/words.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

namespace skep::diff {
namespace {

template <typename Number>
std::string show_number(Number number) {
  return std::to_string(number);
}

std::string show_mode_bits(std::uint32_t mode) {
  std::string digits;
  for (; mode != 0; mode /= 8) digits.insert(0, 1, static_cast<char>('0' + mode % 8));
  return "0" + digits;
}

void environment(Differ& differ,
                 std::vector<std::string>& live,
                 std::vector<std::string>& desired) {
  differ.keyed(
      "environment",
      live,
      desired,
      [](const std::string& entry) { return entry.substr(0, entry.find('=')); },
      [](const std::string& entry) {
        const auto sign = entry.find('=');
        return sign == std::string::npos ? std::string("(unset)") : entry.substr(sign + 1);
      });
}

void mounts(Differ& differ, std::vector<swarm::Mount>& live, std::vector<swarm::Mount>& desired) {
  differ.keyed(
      "volumes",
      live,
      desired,
      [](const swarm::Mount& mount) { return mount.target; },
      [](const swarm::Mount& mount) {
        std::string text = mount.source.empty() ? mount.type : mount.source;
        if (mount.type != "volume" && !mount.source.empty()) text += " (" + mount.type + ")";
        if (mount.read_only) text += " read-only";
        return text;
      });
}

template <typename Reference>
void references(Differ& differ,
                std::string_view path,
                std::vector<Reference>& live,
                std::vector<Reference>& desired,
                std::string Reference::*name,
                std::string Reference::*id) {
  if (live == desired) return;
  const auto show = [&](const Reference& reference) {
    std::string text = reference.*name;
    if (!reference.file) return text;
    const auto& file = *reference.file;
    if (file.uid != "0" || file.gid != "0") text += " owner " + file.uid + ":" + file.gid;
    if (file.mode != 0444) text += " mode " + show_mode_bits(file.mode);
    return text;
  };
  const auto key = [&](const Reference& reference) {
    return reference.file ? reference.file->name : reference.*name + " (credential spec)";
  };
  // An object that was removed and made again has the name that it had: say so instead of two ids.
  for (auto& before : live) {
    for (const auto& after : desired) {
      auto same_id = after;
      same_id.*id = before.*id;
      if (key(before) != key(after) || !(same_id == before) || before.*id == after.*id) continue;
      before.*name += " (an object that is gone)";
    }
  }
  // Ids say nothing to a reader.
  for (auto& before : live) (before.*id).clear();
  for (auto& after : desired) (after.*id).clear();
  differ.keyed(path, live, desired, key, show);
}

void health(Differ& differ, swarm::Healthcheck& live, swarm::Healthcheck& desired) {
  differ.words("healthcheck.test", live.test, desired.test);
  differ.value("healthcheck.interval", live.interval, desired.interval, show_duration);
  differ.value("healthcheck.timeout", live.timeout, desired.timeout, show_duration);
  differ.value("healthcheck.start_period", live.start_period, desired.start_period, show_duration);
  differ.value(
      "healthcheck.start_interval", live.start_interval, desired.start_interval, show_duration);
  differ.value("healthcheck.retries", live.retries, desired.retries, show_number<std::int64_t>);
}

void container(Differ& differ, swarm::ContainerSpec& live, swarm::ContainerSpec& desired) {
  differ.value("image", live.image, desired.image);
  differ.words("entrypoint", live.command, desired.command);
  differ.words("command", live.args, desired.args);
  environment(differ, live.env, desired.env);
  differ.map("labels", live.labels, desired.labels);
  differ.value("hostname", live.hostname, desired.hostname);
  differ.value("working_dir", live.dir, desired.dir);
  differ.value("user", live.user, desired.user);
  differ.set("group_add", live.groups, desired.groups);
  differ.maybe("init", live.init, desired.init, [](bool flag) {
    return std::string(flag ? "true" : "false");
  });
  differ.value("stop_signal", live.stop_signal, desired.stop_signal);
  differ.maybe(
      "stop_grace_period", live.stop_grace_period, desired.stop_grace_period, show_duration);
  differ.value("tty", live.tty, desired.tty);
  differ.value("stdin_open", live.open_stdin, desired.open_stdin);
  differ.value("read_only", live.read_only, desired.read_only);
  mounts(differ, live.mounts, desired.mounts);
  differ.inside(live.healthcheck, desired.healthcheck, [&](auto& before, auto& after) {
    health(differ, before, after);
  });
  differ.words("extra_hosts", live.hosts, desired.hosts);
  differ.inside(live.dns_config, desired.dns_config, [&](auto& before, auto& after) {
    differ.words("dns", before.nameservers, after.nameservers);
    differ.words("dns_search", before.search, after.search);
    differ.words("dns_opt", before.options, after.options);
  });
  references(differ,
             "secrets",
             live.secrets,
             desired.secrets,
             &swarm::SecretReference::secret_name,
             &swarm::SecretReference::secret_id);
  references(differ,
             "configs",
             live.configs,
             desired.configs,
             &swarm::ConfigReference::config_name,
             &swarm::ConfigReference::config_id);
  differ.value("isolation", live.isolation, desired.isolation);
  differ.map("sysctls", live.sysctls, desired.sysctls);
  differ.set("cap_add", live.capability_add, desired.capability_add);
  differ.set("cap_drop", live.capability_drop, desired.capability_drop);
  differ.keyed(
      "ulimits",
      live.ulimits,
      desired.ulimits,
      [](const swarm::Ulimit& limit) { return limit.name; },
      [](const swarm::Ulimit& limit) {
        return std::to_string(limit.soft) + ":" + std::to_string(limit.hard);
      });
  differ.value(
      "oom_score_adj", live.oom_score_adj, desired.oom_score_adj, show_number<std::int64_t>);
}

void resources(Differ& differ, swarm::Resources& live, swarm::Resources& desired) {
  differ.inside(live.limits, desired.limits, [&](auto& before, auto& after) {
    const std::string path = "deploy.resources.limits.";
    differ.value(path + "cpus", before.nano_cpus, after.nano_cpus, show_cpus);
    differ.value(path + "memory", before.memory_bytes, after.memory_bytes, show_bytes);
    differ.value(path + "pids", before.pids, after.pids, show_number<std::int64_t>);
  });
  differ.inside(live.reservations, desired.reservations, [&](auto& before, auto& after) {
    const std::string path = "deploy.resources.reservations.";
    differ.value(path + "cpus", before.nano_cpus, after.nano_cpus, show_cpus);
    differ.value(path + "memory", before.memory_bytes, after.memory_bytes, show_bytes);
  });
}

void restart_policy(Differ& differ, swarm::RestartPolicy& live, swarm::RestartPolicy& desired) {
  const std::string path = "deploy.restart_policy.";
  differ.value(path + "condition", live.condition, desired.condition);
  differ.maybe(path + "delay", live.delay, desired.delay, show_duration);
  differ.maybe(
      path + "max_attempts", live.max_attempts, desired.max_attempts, show_number<std::uint64_t>);
  differ.maybe(path + "window", live.window, desired.window, show_duration);
}

void placement(Differ& differ, swarm::Placement& live, swarm::Placement& desired) {
  const std::string path = "deploy.placement.";
  differ.set(path + "constraints", live.constraints, desired.constraints);
  differ.value(path + "max_replicas_per_node",
               live.max_replicas,
               desired.max_replicas,
               show_number<std::uint64_t>);
}

void update_config(Differ& differ,
                   const std::string& path,
                   std::optional<swarm::UpdateConfig>& live,
                   std::optional<swarm::UpdateConfig>& desired) {
  differ.inside(live, desired, [&](auto& before, auto& after) {
    if (before.parallelism != after.parallelism) {  // 0 is a value: all at once.
      differ.report(path + ".parallelism",
                    "",
                    std::to_string(before.parallelism),
                    std::to_string(after.parallelism));
      before.parallelism = after.parallelism;
    }
    differ.value(path + ".delay", before.delay, after.delay, show_duration);
    differ.value(path + ".failure_action", before.failure_action, after.failure_action);
    differ.value(path + ".monitor", before.monitor, after.monitor, show_duration);
    differ.value(
        path + ".max_failure_ratio", before.max_failure_ratio, after.max_failure_ratio, show_ratio);
    differ.value(path + ".order", before.order, after.order);
  });
}

void service_mode(Differ& differ, swarm::ServiceMode& live, swarm::ServiceMode& desired) {
  if (live == desired) return;
  if (live.name() != desired.name()) {
    differ.report("deploy.mode", "", std::string(live.name()), std::string(desired.name()));
    live = desired;
    return;
  }
  const auto count = [](std::uint64_t number) { return std::to_string(number); };
  differ.inside(live.replicated, desired.replicated, [&](auto& before, auto& after) {
    differ.maybe("deploy.replicas", before.replicas, after.replicas, count);
  });
  differ.inside(live.replicated_job, desired.replicated_job, [&](auto& before, auto& after) {
    differ.maybe("deploy.replicas", before.total_completions, after.total_completions, count);
    differ.maybe("deploy.max_concurrent", before.max_concurrent, after.max_concurrent, count);
  });
}

void endpoint(Differ& differ, swarm::EndpointSpec& live, swarm::EndpointSpec& desired) {
  differ.value("deploy.endpoint_mode", live.mode, desired.mode);
  const auto show = [](const swarm::PublishedPort& port) {
    std::string text = port.published != 0 ? std::to_string(port.published) + ":" : "";
    text += std::to_string(port.target) + "/" + port.protocol;
    if (port.mode != "ingress") text += " (" + port.mode + ")";
    return text;
  };
  differ.keyed("ports", live.ports, desired.ports, show, show);
}

}  // namespace

std::vector<FieldChange> service_changes(const swarm::ServiceSpec& live_spec,
                                         const swarm::ServiceSpec& desired_spec) {
  if (live_spec == desired_spec) return {};
  auto live = live_spec;
  auto desired = desired_spec;
  Differ differ;
  differ.value("name", live.name, desired.name);
  auto& live_task = live.task_template;
  auto& task = desired.task_template;
  if (live_task.container.image != task.container.image) {
    // The label and the platforms only follow the image.
    const std::string label(swarm::kImageLabel);
    if (live.labels.count(label) != 0 && desired.labels.count(label) != 0)
      live.labels[label] = desired.labels[label];
    if (live_task.placement && task.placement)
      live_task.placement->platforms = task.placement->platforms;
  }
  container(differ, live_task.container, task.container);
  differ.keyed(
      "networks",
      live_task.networks,
      task.networks,
      [](const swarm::NetworkAttachment& network) { return network.target; },
      [](const swarm::NetworkAttachment& network) {
        return network.aliases.empty() ? std::string("no alias")
                                       : "aliases " + show_words(network.aliases);
      });
  service_mode(differ, live.mode, desired.mode);
  differ.map("deploy.labels", live.labels, desired.labels);
  differ.inside(live_task.resources, task.resources, [&](auto& before, auto& after) {
    resources(differ, before, after);
  });
  differ.inside(live_task.restart_policy, task.restart_policy, [&](auto& before, auto& after) {
    restart_policy(differ, before, after);
  });
  differ.inside(live_task.placement, task.placement, [&](auto& before, auto& after) {
    placement(differ, before, after);
  });
  differ.inside(live_task.log_driver, task.log_driver, [&](auto& before, auto& after) {
    differ.value("logging.driver", before.name, after.name);
    differ.map("logging.options", before.options, after.options);
  });
  update_config(differ, "deploy.update_config", live.update_config, desired.update_config);
  update_config(differ, "deploy.rollback_config", live.rollback_config, desired.rollback_config);
  differ.inside(live.endpoint_spec, desired.endpoint_spec, [&](auto& before, auto& after) {
    endpoint(differ, before, after);
  });
  for (const auto& [path, text] : live.unknown) {
    const auto at = desired.unknown.find(path);
    if (at == desired.unknown.end()) {
      differ.pointer(path, text, std::nullopt);
    } else {
      differ.pointer(path, text, at->second);
    }
  }
  for (const auto& [path, text] : desired.unknown) {
    if (live.unknown.count(path) == 0) differ.pointer(path, std::nullopt, text);
  }
  differ.rest(live, desired);
  return std::move(differ).take();
}

std::vector<FieldChange> map_changes(std::string_view path,
                                     const swarm::StringMap& live,
                                     const swarm::StringMap& desired) {
  Differ differ;
  auto before = live;
  auto after = desired;
  differ.map(path, before, after);
  return std::move(differ).take();
}

}  // namespace skep::diff
