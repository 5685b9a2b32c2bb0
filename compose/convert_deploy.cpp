#include <charconv>
#include <string_view>
#include <utility>

#include "compose/convert.hpp"
#include "compose/cpus.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

/// "500m" elsewhere is half of one.
std::string advice_for_cpus(std::string_view text) {
  int thousandths = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, thousandths);
  if (problem != std::errc() || thousandths <= 0 || std::string_view(stop, end) != "m") {
    return "; write a number of cpus, such as 0.5 for half of one";
  }
  auto digits = std::to_string(1000 + thousandths % 1000).substr(1);
  digits.resize(digits.find_last_not_of('0') + 1);
  const auto whole = std::to_string(thousandths / 1000);
  return "; write " + whole + (digits.empty() ? "" : "." + digits) +
         ": there are no thousandths (m) here, half of one is 0.5";
}

std::int64_t convert_cpus(const ServiceConversion& conversion, const ResourceBounds& bounds) {
  if (bounds.cpus.empty()) return 0;
  const auto nano = parse_nano_cpus(bounds.cpus);
  if (nano) return *nano;
  conversion.error(bounds.cpus_at, nano.error().message + advice_for_cpus(bounds.cpus));
  return 0;
}

/// The old service key, `name[:count]`; null where the text says "do not restart".
Result<std::optional<swarm::RestartPolicy>> parse_restart(std::string_view text) {
  const auto invalid = [](std::string message) {
    return Error{ErrorKind::invalid_input, std::move(message)};
  };
  const auto parts = cut(text, ':');
  if (parts.found && parts.before.empty()) {
    return invalid("invalid restart policy format: no policy provided before colon");
  }
  std::int64_t count = 0;
  if (!parts.after.empty()) {
    auto digits = parts.after;
    if (digits.front() == '+') digits.remove_prefix(1);
    const char* end = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), end, count);
    if (problem != std::errc() || stop != end) {
      return invalid("invalid restart policy format: maximum retry count must be an integer");
    }
  }
  swarm::RestartPolicy policy;
  if (parts.before.empty() || parts.before == "no") return std::optional<swarm::RestartPolicy>();
  if (parts.before == "always" || parts.before == "unless-stopped") {
    policy.condition = "any";
  } else if (parts.before == "on-failure") {
    policy.condition = "on-failure";
    policy.max_attempts = static_cast<std::uint64_t>(count);  // A negative one wraps (rule C5.4).
  } else {
    const auto near = nearest(parts.before, {"no", "always", "unless-stopped", "on-failure"});
    return invalid("unknown restart policy: " + std::string(parts.before) +
                   "; it is one of \"no\", always, unless-stopped, on-failure, on-failure:3" +
                   (near.empty() ? "" : "; did you mean " + near + '?'));
  }
  return std::optional(std::move(policy));
}

}  // namespace

swarm::ServiceMode convert_mode(const ServiceConversion& conversion) {
  const auto& deploy = conversion.service.deploy;
  swarm::ServiceMode mode;
  if (deploy.mode.empty() || deploy.mode == "replicated") {
    mode.replicated = swarm::ReplicatedMode{deploy.replicas};
  } else if (deploy.mode == "replicated-job") {
    mode.replicated_job = swarm::ReplicatedJobMode{deploy.replicas, deploy.replicas};
  } else if (deploy.mode == "global" || deploy.mode == "global-job") {
    if (deploy.replicas) {
      conversion.error(conversion.service.position_of("deploy.replicas"),
                       "replicas can only be used with replicated or replicated-job mode");
    }
    (deploy.mode == "global" ? mode.global : mode.global_job).emplace();
  } else {
    conversion.error(conversion.service.position_of("deploy.mode"),
                     "Unknown mode: " + deploy.mode +
                         "; it is one of replicated, global, replicated-job, global-job");
  }
  return mode;
}

swarm::Resources convert_resources(const ServiceConversion& conversion) {
  const auto& deploy = conversion.service.deploy;
  swarm::Resources resources;
  if (deploy.limits) {
    resources.limits.emplace();
    resources.limits->nano_cpus = convert_cpus(conversion, *deploy.limits);
    resources.limits->memory_bytes = deploy.limits->memory;
    resources.limits->pids = deploy.limits->pids;
  }
  if (deploy.reservations) {
    resources.reservations.emplace();
    resources.reservations->nano_cpus = convert_cpus(conversion, *deploy.reservations);
    resources.reservations->memory_bytes = deploy.reservations->memory;
    for (const auto& resource : deploy.reservations->generic_resources) {
      if (!resource.discrete) {  // The engine breaks off the connection (rule E3.16).
        conversion.error(resource.at, "needs `discrete_resource_spec: {kind: …, value: …}`");
      }
      resources.reservations->generic_resources.push_back({std::nullopt, resource.discrete});
    }
  }
  return resources;
}

std::optional<swarm::UpdateConfig> convert_update_config(
    const std::optional<UpdateConfig>& config) {
  if (!config) return std::nullopt;
  swarm::UpdateConfig result;
  result.parallelism = config->parallelism.value_or(1);
  result.delay = config->delay;
  result.failure_action = config->failure_action;
  result.monitor = config->monitor;
  result.max_failure_ratio = static_cast<float>(config->max_failure_ratio);
  result.order = config->order;
  return result;
}

std::optional<swarm::RestartPolicy> convert_restart_policy(const ServiceConversion& conversion) {
  const auto& service = conversion.service;
  if (const auto& policy = service.deploy.restart_policy) {
    swarm::RestartPolicy result;
    result.condition = policy->condition;
    result.delay = policy->delay;
    result.max_attempts = policy->max_attempts;
    result.window = policy->window;
    return result;
  }
  auto parsed = parse_restart(service.restart);
  if (parsed) return *std::move(parsed);
  conversion.error(service.position_of("restart"), parsed.error().message);
  return std::nullopt;
}

swarm::Placement convert_placement(const Deploy& deploy) {
  swarm::Placement placement;
  placement.constraints = deploy.constraints;
  for (const auto& spread : deploy.preferences) {
    placement.preferences.push_back({swarm::Spread{spread}});
  }
  placement.max_replicas = deploy.max_replicas_per_node;
  return placement;
}

}  // namespace skep::compose
