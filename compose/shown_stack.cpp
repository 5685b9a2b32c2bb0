#include "compose/shown_stack.hpp"

#include <optional>

#include "compose/text.hpp"

namespace skep::compose {
namespace {

void show_all(swarm::StringMap& pairs, const ShowText& show) {
  for (auto& [name, value] : pairs) value = show(name, value);
}

void show_all(std::vector<std::string>& texts, std::string_view name, const ShowText& show) {
  for (auto& text : texts) text = show(name, text);
}

void show_options(std::optional<swarm::Driver>& driver, const ShowText& show) {
  if (driver) show_all(driver->options, show);
}

void show_service(swarm::ServiceSpec& spec, const ShowText& show) {
  auto& container = spec.task_template.container;
  show_all(spec.labels, show);
  show_all(container.labels, show);
  show_all(container.sysctls, show);
  show_all(container.command, "entrypoint", show);
  show_all(container.args, "command", show);
  if (container.healthcheck) show_all(container.healthcheck->test, "test", show);
  for (auto& variable : container.env) {
    const auto parts = cut(variable, '=');
    if (!parts.found) continue;
    const std::string name(parts.before), value(parts.after);
    variable = name + '=' + show(name, value);
  }
  for (auto& mount : container.mounts) {
    if (!mount.volume_options) continue;
    show_all(mount.volume_options->labels, show);
    show_options(mount.volume_options->driver_config, show);
  }
  show_options(spec.task_template.log_driver, show);
  for (auto& network : spec.task_template.networks) show_all(network.driver_opts, show);
}

}  // namespace

swarm::StackSpec shown(swarm::StackSpec stack, const ShowText& show) {
  if (!show) return stack;
  for (auto& [key, service] : stack.services) show_service(service.spec, show);
  for (auto& [key, network] : stack.networks) {
    show_all(network.options, show);
    show_all(network.labels, show);
  }
  for (auto& [key, config] : stack.configs) {
    show_all(config.labels, show);
    config.data = show("content", config.data);
  }
  for (auto& [key, secret] : stack.secrets) {
    show_all(secret.labels, show);
    show_options(secret.driver, show);
  }
  return stack;
}

}  // namespace skep::compose
