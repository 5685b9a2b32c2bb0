#include "compose/engine_checks.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>

#include "compose/engine_templates.hpp"
#include "compose/text.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kLeastMemory = 4 << 20;
constexpr std::int64_t kLeastNanoCpus = 1'000'000;
constexpr std::size_t kLongestServiceName = 63;
constexpr std::size_t kLongestObjectName = 64;
constexpr std::size_t kSecretLimit = 512'000, kConfigLimit = 1'024'000;

/// What the engine does not take of it; "" where it does.
std::string constraint_mistake(std::string_view constraint) {
  constexpr std::string_view kWord =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  constexpr std::string_view kMoreInValues = ":*()?+[]\\^$|/ \t\n\r\f";
  auto at = constraint.find("==");
  if (at == std::string_view::npos) at = constraint.find("!=");
  if (at == std::string_view::npos) return " has neither == nor !=";
  const auto key = trimmed(constraint.substr(0, at));
  const auto value = trimmed(constraint.substr(at + 2));
  const bool key_begins = !key.empty() && (is_letter(key[0]) || key[0] == '_');
  if (key.size() < 2 || !key_begins || key.find_first_not_of(kWord) != std::string_view::npos)
    return " has a key that the engine does not take: " + quoted(key);
  if (value.empty()) return " has no value";
  const auto odd = value.find_first_not_of(std::string(kWord) + std::string(kMoreInValues));
  if (odd == std::string_view::npos) return "";
  const bool quote = value[odd] == '"' || value[odd] == '\'';
  return " has a value that the engine does not take: " + quoted(value) +
         (quote ? "; write it without quotes" : "");
}

class Checks {
 public:
  Checks(const ServiceConversion& conversion, const swarm::ServiceSpec& spec)
      : conversion_(conversion), spec_(spec) {}

  void run() {
    name();
    words();
    rollouts();
    ports();
    mounts();
    healthcheck();
    resources(conversion_.service.deploy.limits);
    resources(conversion_.service.deploy.reservations);
    constraints();
    templates();
  }

 private:
  void refuse(const std::string& place, const std::string& message) {
    conversion_.error(conversion_.service.position_of(place), message);
  }
  void one_of(const std::string& place,
              const std::string& what,
              const std::string& word,
              std::initializer_list<std::string_view> allowed) {
    if (word.empty() || std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
    std::string all;
    for (const auto each : allowed) all += (all.empty() ? "" : ", ") + std::string(each);
    refuse(place, what + ' ' + quoted(word) + " is unknown to the engine; it is one of " + all);
  }

  void name() {
    const auto& name = spec_.name;
    if (name.size() > kLongestServiceName) {
      conversion_.error(conversion_.service.at,
                        "the engine takes names of up to 63 characters, and " + quoted(name) +
                            " has " + std::to_string(name.size()));
    }
    const auto outside = [](char c) {  // Of its first and last character.
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const bool known = std::all_of(
        name.begin(), name.end(), [&](char c) { return outside(c) || c == '-' || c == '_'; });
    if (!known || name.empty() || !outside(name.front()) || !outside(name.back())) {
      conversion_.error(conversion_.service.at,
                        "the engine takes no name such as " + quoted(name) +
                            ": it is a DNS name component, of letters, digits, '-' and '_' inside");
    }
  }

  void words() {
    const auto& deploy = conversion_.service.deploy;
    if (deploy.restart_policy) {
      one_of("deploy.restart_policy",
             "restart_policy condition",
             deploy.restart_policy->condition,
             {"none", "on-failure", "any"});
    }
    if (deploy.update_config) {
      one_of("deploy.update_config",
             "update_config failure_action",
             deploy.update_config->failure_action,
             {"pause", "continue", "rollback"});
    }
    one_of("deploy.endpoint_mode", "endpoint_mode", lower(deploy.endpoint_mode), {"vip", "dnsrr"});
  }

  void rollouts() {
    const bool job = spec_.mode.replicated_job || spec_.mode.global_job;
    if (job && spec_.update_config) {
      refuse("deploy.update_config", "a job takes no update_config: leave it out");
    }
    // Of rollback_config the engine checks nothing.
    if (spec_.update_config &&
        (spec_.update_config->delay < 0ns || spec_.update_config->monitor < 0ns)) {
      refuse("deploy.update_config", "the engine takes no negative durations");
    }
  }

  void ports() {
    const auto& endpoint = spec_.endpoint_spec;
    if (!endpoint) return;
    std::set<std::pair<std::uint32_t, std::string>> published;
    for (const auto& port : endpoint->ports) {
      if (endpoint->mode == "dnsrr" && port.mode != "host") {
        return refuse("ports",
                      "with endpoint_mode dnsrr ports are published by host only: write the long "
                      "form with mode: host");
      }
      if (port.published == 0) continue;
      auto protocol = port.protocol.empty() ? std::string("tcp") : lower(port.protocol);
      if (!published.emplace(port.published, protocol).second) {
        return refuse(
            "ports",
            "the port " + std::to_string(port.published) + '/' + protocol + " is published twice");
      }
    }
  }

  void mounts() {
    std::set<std::string> targets;
    if (!conversion_.service.volumes) return;
    for (const auto& volume : *conversion_.service.volumes) {
      if (volume.target.empty() || targets.insert(volume.target).second) continue;
      conversion_.error(volume.at, "two volumes have the target " + quoted(volume.target));
    }
  }

  void healthcheck() {
    const auto& check = conversion_.service.healthcheck;
    if (!check || check->disable) return;
    for (const auto& [name, value] : {std::pair("interval", check->interval),
                                      std::pair("timeout", check->timeout),
                                      std::pair("start_period", check->start_period)}) {
      if (value && *value != 0ns && *value < 1ms) {
        refuse(
            "healthcheck",
            std::string(name) + " of the healthcheck is less than 1ms, which the engine refuses");
      }
    }
  }

  void resources(const std::optional<ResourceBounds>& bounds) {
    if (!bounds) return;
    if (bounds->memory != 0 && bounds->memory < kLeastMemory) {
      refuse("deploy.resources",
             "memory is " + std::to_string(bounds->memory) +
                 " bytes and the engine wants at least 4 MiB; write 64M for megabytes");
    }
  }

  void nano_cpus(std::int64_t count) {
    if (count == 0 || count >= kLeastNanoCpus) return;
    refuse("deploy.resources", "the engine takes no less than 0.001 cpus");
  }

  void constraints() {
    const auto& resources = spec_.task_template.resources;
    if (resources && resources->limits) nano_cpus(resources->limits->nano_cpus);
    if (resources && resources->reservations) nano_cpus(resources->reservations->nano_cpus);
    for (const auto& constraint : conversion_.service.deploy.constraints) {
      if (const auto mistake = constraint_mistake(constraint); !mistake.empty())
        refuse("deploy.placement", "the placement constraint " + quoted(constraint) + mistake);
    }
  }

  /// `hidden`: nothing of the text may be said.
  void expanded(const SourcePosition& at,
                const std::string& place,
                const std::string& text,
                bool hidden = false) {
    const auto mistake = template_mistake(text);
    if (!mistake) return;
    conversion_.error(
        at,
        "the engine takes {{…}} in " + place + " for a template and cannot " + "expand it: " +
            (hidden ? "it knows no such function or variable, or it is not closed" : *mistake) +
            "; where it is to stay as it is, write {{\"{{\"}} for its {{");
  }

  void templates() {
    const auto& service = conversion_.service;
    const auto& container = spec_.task_template.container;
    expanded(service.position_of("hostname"), "hostname", container.hostname);
    for (const auto& variable : container.env) {
      const std::string name(cut(variable, '=').before);
      const auto written = service.key_at.find("environment." + name);
      const bool only_files = !service.key_at.contains("environment");
      expanded(written != service.key_at.end()
                   ? written->second
                   : service.position_of(only_files ? "env_file" : "environment"),
               "environment." + name,
               variable,
               // What has no blank may be a password rather than a text with a placeholder.
               variable.find(' ') == std::string::npos);
    }
    if (!service.volumes) return;
    for (std::size_t i = 0; i < container.mounts.size(); ++i) {
      const auto& at = service.volumes->at(i).at;
      expanded(at, "the source of a volume", container.mounts[i].source);
      expanded(at, "the target of a volume", container.mounts[i].target);
    }
  }

  const ServiceConversion& conversion_;
  const swarm::ServiceSpec& spec_;
};

}  // namespace

void check_for_engine(const ServiceConversion& conversion, const swarm::ServiceSpec& spec) {
  Checks(conversion, spec).run();
}

void check_for_engine(const Conversion& conversion,
                      const std::string& key,
                      const FileObject& object,
                      const std::string& kind,
                      const std::string& name,
                      std::size_t bytes) {
  const auto subject = kind + ' ' + key + ": ";
  const auto limit = kind == "secret" ? kSecretLimit : kConfigLimit;
  if (name.size() > kLongestObjectName) {
    conversion.error(object.at,
                     subject + "the engine takes names of up to 64 characters, and " +
                         quoted(name) + " has " + std::to_string(name.size()));
  }
  if (bytes == 0) {
    conversion.error(object.file_at, subject + "the content is empty, which the engine refuses");
  } else if (bytes >= limit) {
    conversion.error(object.file_at,
                     subject + "the content has " + std::to_string(bytes) +
                         " bytes, and the engine takes less than " + std::to_string(limit));
  }
}

}  // namespace skep::compose
