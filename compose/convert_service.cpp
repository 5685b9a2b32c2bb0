#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "compose/convert.hpp"
#include "compose/go_sort.hpp"
#include "compose/text.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

namespace skep::compose {
namespace {

/// Rule B4.6.
std::vector<std::string> convert_environment(const Environment& environment) {
  std::vector<std::string> result;
  for (const auto& [key, value] : environment) {
    result.push_back(value ? key + '=' + *value : key);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// "name:address" → "address name".
std::vector<std::string> convert_hosts(const std::vector<std::string>& hosts) {
  std::vector<std::string> result;
  for (const auto& host : hosts) {
    const auto parts = cut(host, ':');
    result.push_back(std::string(parts.after) + ' ' + std::string(parts.before));
  }
  return result;
}

std::optional<swarm::DnsConfig> convert_dns(const Service& service) {
  if (!service.dns && !service.dns_search) return std::nullopt;
  swarm::DnsConfig config;
  config.nameservers = service.dns.value_or(std::vector<std::string>{});
  config.search = service.dns_search.value_or(std::vector<std::string>{});
  return config;
}

std::set<std::string> normal_capabilities(const std::vector<std::string>& written) {
  std::set<std::string> result;
  for (const auto& text : written) {
    auto name = std::string(trimmed(text));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (name == "RESET") continue;
    if (name == "ALL") return {"ALL"};
    if (name.rfind("CAP_", 0) != 0) name.insert(0, "CAP_");
    result.insert(std::move(name));
  }
  return result;
}

void convert_capabilities(const Service& service, swarm::ContainerSpec& container) {
  const auto add = normal_capabilities(service.cap_add);
  const auto drop = normal_capabilities(service.cap_drop);
  container.capability_add.assign(add.begin(), add.end());
  std::set_difference(drop.begin(),
                      drop.end(),
                      add.begin(),
                      add.end(),
                      std::back_inserter(container.capability_drop));
}

/// Rule C5.5.
std::optional<swarm::Healthcheck> convert_healthcheck(const ServiceConversion& conversion) {
  const auto& check = conversion.service.healthcheck;
  if (!check) return std::nullopt;
  swarm::Healthcheck result;
  if (check->disable) {
    if (!check->test.empty()) {
      conversion.error(conversion.service.position_of("healthcheck"),
                       std::string("test and disable can't be set at the same time") +
                           (conversion.all.input.strict
                                ? ""
                                : "; a test is switched off by leaving it out, also in earlier "
                                  "files, and disable is for that of the image"));
    }
    result.test = {"NONE"};
    return result;
  }
  const auto none = Nanoseconds::zero();
  result.test = check->test;
  result.interval = check->interval.value_or(none);
  result.timeout = check->timeout.value_or(none);
  result.start_period = check->start_period.value_or(none);
  result.start_interval = check->start_interval.value_or(none);
  result.retries = static_cast<std::int64_t>(check->retries.value_or(0));
  return result;
}

/// Rule C8.
swarm::EndpointSpec convert_endpoint(const Service& service) {
  swarm::EndpointSpec endpoint;
  endpoint.mode = lower(service.deploy.endpoint_mode);
  for (const auto& port : service.ports.value_or(std::vector<Port>{})) {
    swarm::PublishedPort published;
    published.protocol = port.protocol;
    published.target = port.target;
    published.published = port.published;
    published.mode = port.mode;
    endpoint.ports.push_back(std::move(published));
  }
  auto& ports = endpoint.ports;
  GoSort([&](auto a, auto b) { return ports[a].published < ports[b].published; },
         [&](auto a, auto b) { std::swap(ports[a], ports[b]); })
      .run(ports.size());
  return endpoint;
}

swarm::ContainerSpec convert_container(const ServiceConversion& conversion) {
  const auto& service = conversion.service;
  swarm::ContainerSpec container;
  container.image = swarm::familiar_tagged(service.image);
  container.labels = conversion.all.with_stack_label(service.labels);
  container.command = service.entrypoint;
  container.args = service.command;
  container.hostname = service.hostname;
  container.env = convert_environment(service.environment);
  container.dir = service.working_dir;
  container.user = service.user;
  container.privileges.emplace();
  container.privileges->credential_spec = convert_credential_spec(conversion);
  container.init = service.init;
  container.stop_signal = service.stop_signal;
  container.tty = service.tty;
  container.open_stdin = service.stdin_open;
  container.read_only = service.read_only;
  container.mounts = convert_mounts(conversion);
  container.stop_grace_period = service.stop_grace_period;
  container.healthcheck = convert_healthcheck(conversion);
  container.hosts = convert_hosts(service.extra_hosts);
  container.dns_config = convert_dns(service);
  container.secrets = convert_secret_references(conversion);
  container.configs = convert_config_references(conversion);
  container.isolation = service.isolation;
  container.sysctls = service.sysctls;
  convert_capabilities(service, container);
  for (const auto& [name, limit] : service.ulimits) {
    container.ulimits.push_back({name, limit.hard, limit.soft});
  }
  return container;
}

std::optional<swarm::Driver> convert_logging(const std::optional<Logging>& logging) {
  if (!logging) return std::nullopt;
  return swarm::Driver{logging->driver, logging->options.value_or(StringMap{})};
}

}  // namespace

swarm::ServiceSpec convert_service(const ServiceConversion& conversion) {
  const auto& service = conversion.service;
  swarm::ServiceSpec spec;
  spec.name = conversion.all.input.stack.scope(conversion.key);
  spec.labels = conversion.all.with_stack_label(service.deploy.labels);
  spec.labels[std::string(swarm::kImageLabel)] = service.image;
  auto& task = spec.task_template;
  task.container = convert_container(conversion);
  task.resources = convert_resources(conversion);
  task.restart_policy = convert_restart_policy(conversion);
  task.placement = convert_placement(service.deploy);
  task.networks = convert_attachments(conversion);
  task.log_driver = convert_logging(service.logging);
  spec.mode = convert_mode(conversion);
  spec.update_config = convert_update_config(service.deploy.update_config);
  spec.rollback_config = convert_update_config(service.deploy.rollback_config);
  spec.endpoint_spec = convert_endpoint(service);
  return spec;
}

}  // namespace skep::compose
