#include "compose/engine_checks.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <arpa/inet.h>

#include "compose/engine_templates.hpp"
#include "compose/ports.hpp"
#include "compose/text.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kLeastMemory = 4 << 20;
constexpr std::int64_t kLeastNanoCpus = 1'000'000;
constexpr std::size_t kLongestDnsName = 63;
constexpr std::size_t kLongestObjectName = 64;
constexpr std::size_t kSecretLimit = 512'000, kConfigLimit = 1'024'000;

/// As Go's strings.TrimSpace, which knows the blanks of all languages.
std::string_view trimmed_as_go_does(std::string_view text) {
  static constexpr std::array<std::string_view, 19> kBlanks = {"\u0085",
                                                               "\u00a0",
                                                               "\u1680",
                                                               "\u2000",
                                                               "\u2001",
                                                               "\u2002",
                                                               "\u2003",
                                                               "\u2004",
                                                               "\u2005",
                                                               "\u2006",
                                                               "\u2007",
                                                               "\u2008",
                                                               "\u2009",
                                                               "\u200a",
                                                               "\u2028",
                                                               "\u2029",
                                                               "\u202f",
                                                               "\u205f",
                                                               "\u3000"};
  while (true) {
    text = trimmed(text);
    const auto before = text.size();
    for (const auto blank : kBlanks) {
      if (text.starts_with(blank)) text.remove_prefix(blank.size());
      if (text.ends_with(blank)) text.remove_suffix(blank.size());
    }
    if (text.size() == before) return text;
  }
}

/// Letters and digits, and between them also what is in `inside`.
bool is_name(std::string_view name, std::string_view inside) {
  const auto outside = [](char c) { return is_letter(c) || is_digit(c); };
  return !name.empty() && outside(name.front()) && outside(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return outside(c) || inside.find(c) != std::string_view::npos;
         });
}

/// What the engine does not take of the name of a service or network; "" where it does.
std::string dns_name_mistake(std::string_view name) {
  if (name.size() > kLongestDnsName) {
    return "the engine takes names of up to 63 characters, and " + quoted(name) + " has " +
           std::to_string(name.size());
  }
  if (is_name(name, "-_")) return "";
  return "the engine takes no name such as " + quoted(name) +
         ": it is a DNS name component, of letters, digits, '-' and '_' inside";
}

/// Whether no service of the stack gets a name that the engine takes, whatever its key is.
bool is_for_no_service(const swarm::StackName& stack) { return !is_name(stack.scope("x"), "-_"); }

/// "10.1.0.0/16", "fd00::/64"; the engine masks what stands behind the prefix.
bool is_cidr(const std::string& text) {
  const auto [address, digits, found] = cut(text, '/');
  if (!found || digits.empty() || text.find('\0') != std::string::npos) return false;
  std::array<unsigned char, 16> bytes{};
  const std::string written(address);
  const int longest = inet_pton(AF_INET, written.c_str(), bytes.data()) == 1    ? 32
                      : inet_pton(AF_INET6, written.c_str(), bytes.data()) == 1 ? 128
                                                                                : -1;
  int length = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return false;
    length = std::min(length * 10 + (c - '0'), 1000);
  }
  return length <= longest;
}

/// What the engine does not take of it; "" where it does.
std::string constraint_mistake(std::string_view constraint) {
  constexpr std::string_view kWord =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  constexpr std::string_view kMoreInValues = ":*()?+[]\\^$|/ \t\n\r\f";
  auto at = constraint.find("==");
  if (at == std::string_view::npos) at = constraint.find("!=");
  if (at == std::string_view::npos) return " has neither == nor !=";
  const auto key = trimmed_as_go_does(constraint.substr(0, at));
  const auto value = trimmed_as_go_does(constraint.substr(at + 2));
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
    networks();
    ports();
    mounts();
    healthcheck();
    memory("limits", conversion_.service.deploy.limits);
    memory("reservations", conversion_.service.deploy.reservations);
    if (const auto& resources = spec_.task_template.resources) {
      if (resources->limits) nano_cpus("limits", resources->limits->nano_cpus);
      if (resources->reservations) nano_cpus("reservations", resources->reservations->nano_cpus);
    }
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
    one_of(conversion_.service.position_of(place), what, word, allowed);
  }
  void one_of(const SourcePosition& at,
              const std::string& what,
              const std::string& word,
              std::initializer_list<std::string_view> allowed) {
    if (word.empty() || std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
    std::string all;
    for (const auto each : allowed) all += (all.empty() ? "" : ", ") + std::string(each);
    conversion_.error(at,
                      what + ' ' + quoted(word) + " is unknown to the engine; it is one of " + all);
  }

  void name() {
    const auto mistake = dns_name_mistake(spec_.name);
    if (mistake.empty() || is_for_no_service(conversion_.all.input.stack)) return;
    const auto& key = conversion_.key;
    if (key.find('.') == std::string::npos) {
      return conversion_.error(conversion_.service.at, mistake);
    }
    auto renamed = key;
    std::replace(renamed.begin(), renamed.end(), '.', '-');
    const auto& used = conversion_.service.networks;
    conversion_.error(
        conversion_.service.at,
        mistake + "; call it " + renamed + " and keep the old name as an alias: " + "networks: {" +
            (used.empty() ? "default" : used.begin()->first) + ": {aliases: [" + key + "]}}");
  }

  void words() {
    const auto& deploy = conversion_.service.deploy;
    if (deploy.restart_policy) {
      one_of("deploy.restart_policy.condition",
             "restart_policy condition",
             deploy.restart_policy->condition,
             {"none", "on-failure", "any"});
    }
    for (const auto& [name, config] : {std::pair("update_config", &deploy.update_config),
                                       std::pair("rollback_config", &deploy.rollback_config)}) {
      if (!*config) continue;
      one_of("deploy." + std::string(name) + ".failure_action",
             std::string(name) + " failure_action",
             (*config)->failure_action,
             {"pause", "continue", "rollback"});
    }
    one_of("deploy.endpoint_mode", "endpoint_mode", lower(deploy.endpoint_mode), {"vip", "dnsrr"});
  }

  void not_negative(const std::string& place, const std::optional<Nanoseconds>& duration) {
    if (duration && *duration < 0ns) refuse(place, "the engine takes no negative durations");
  }

  void rollouts() {
    const bool job = spec_.mode.replicated_job || spec_.mode.global_job;
    if (job && spec_.update_config) {
      refuse("deploy.update_config", "a job takes no update_config: leave it out");
    }
    // Of rollback_config the engine checks the words only.
    if (const auto& config = spec_.update_config) {
      not_negative("deploy.update_config.delay", config->delay);
      not_negative("deploy.update_config.monitor", config->monitor);
      if (config->max_failure_ratio < 0 || config->max_failure_ratio > 1) {
        refuse("deploy.update_config.max_failure_ratio",
               "the engine takes a max_failure_ratio from 0 to 1, such as 0.1 for a tenth");
      }
    }
    if (const auto& policy = conversion_.service.deploy.restart_policy) {
      not_negative("deploy.restart_policy.delay", policy->delay);
      not_negative("deploy.restart_policy.window", policy->window);
    }
  }

  void networks() {
    const auto& used = conversion_.service.networks;
    if (used.empty()) predefined("default", conversion_.service.at);
    for (const auto& [key, use] : used) predefined(key, use.at);
  }

  void predefined(const std::string& key, const SourcePosition& at) {
    const auto& networks = conversion_.all.file.networks;
    const auto found = networks.find(key);
    if (found == networks.end() || !found->second.external) return;
    if (found->second.name == "ingress") {
      conversion_.error(at,
                        "the engine attaches no service to the network ingress: it does so itself "
                        "where a port is published");
    } else if (found->second.name == "none") {
      conversion_.error(at,
                        "the engine attaches no service to the network none; one that is to reach "
                        "nothing outside gets a network with internal: true");
    }
  }

  void ports() {
    const auto& endpoint = spec_.endpoint_spec;
    if (!endpoint) return;
    std::set<std::pair<std::uint32_t, std::string>> published;
    for (const auto& port : endpoint->ports) {
      const auto place = port_place(port.published, port.target, port.protocol);
      if (endpoint->mode == "dnsrr" && port.mode != "host") {
        return refuse(place,
                      "with endpoint_mode dnsrr ports are published by host only: write the long "
                      "form with mode: host");
      }
      if (port.published == 0) continue;
      auto protocol = port.protocol.empty() ? std::string("tcp") : lower(port.protocol);
      if (!published.emplace(port.published, protocol).second) {
        return refuse(
            place,
            "the port " + std::to_string(port.published) + '/' + protocol + " is published twice");
      }
    }
  }

  void mounts() {
    std::set<std::string> targets;
    if (!conversion_.service.volumes) return;
    const auto& mounts = spec_.task_template.container.mounts;
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      const auto& volume = conversion_.service.volumes->at(i);
      if (mounts[i].bind_options) propagation(mounts[i].bind_options->propagation, volume.at);
      if (volume.target.empty() || targets.insert(volume.target).second) continue;
      conversion_.error(volume.at, "two volumes have the target " + quoted(volume.target));
    }
  }

  void propagation(const std::string& word, const SourcePosition& at) {
    one_of(at,
           "the propagation",
           word,
           {"private", "rprivate", "shared", "rshared", "slave", "rslave"});
  }

  void healthcheck() {
    const auto& check = conversion_.service.healthcheck;
    if (!check || check->disable) return;
    for (const auto& [name, value] : {std::pair("interval", check->interval),
                                      std::pair("timeout", check->timeout),
                                      std::pair("start_period", check->start_period)}) {
      if (value && *value != 0ns && *value < 1ms) {
        refuse(
            "healthcheck." + std::string(name),
            std::string(name) + " of the healthcheck is less than 1ms, which the engine refuses");
      }
    }
  }

  void memory(const std::string& which, const std::optional<ResourceBounds>& bounds) {
    if (!bounds) return;
    if (bounds->memory != 0 && bounds->memory < kLeastMemory) {
      refuse("deploy.resources." + which + ".memory",
             "memory is " + std::to_string(bounds->memory) +
                 " bytes and the engine wants at least 4 MiB; write 64M for megabytes");
    }
  }

  void nano_cpus(const std::string& which, std::int64_t count) {
    if (count == 0 || count >= kLeastNanoCpus) return;
    refuse("deploy.resources." + which + ".cpus", "the engine takes no less than 0.001 cpus");
  }

  void constraints() {
    for (const auto& constraint : conversion_.service.deploy.constraints) {
      if (const auto mistake = constraint_mistake(constraint); !mistake.empty())
        refuse("deploy.placement.constraints." + constraint,
               "the placement constraint " + quoted(constraint) + mistake);
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
               std::string(cut(variable, '=').after),  // The engine expands no name.
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

const std::string& name_of(const swarm::DesiredService& service) { return service.spec.name; }
template <typename Spec>
const std::string& name_of(const Spec& object) {
  return object.name;
}

}  // namespace

void check_stack_name_for_engine(const Conversion& conversion) {
  const auto& stack = conversion.input.stack;
  if (conversion.file.services.empty() || !is_for_no_service(stack)) return;
  const SourcePosition first_file{conversion.input.files.front().name, 0, 0};
  conversion.error(conversion.input.stack_at.value_or(first_file),
                   "the stack cannot be called " + quoted(stack.text()) +
                       ": its name begins those of its services and networks, and the engine takes "
                       "letters and digits there, with '-' and '_' inside");
}

void check_for_engine(const ServiceConversion& conversion, const swarm::ServiceSpec& spec) {
  Checks(conversion, spec).run();
}

void check_for_engine(const Conversion& conversion,
                      const std::string& key,
                      const Network& network,
                      const std::string& name) {
  const auto mistake = dns_name_mistake(name);
  const bool said = network.name.empty() && is_for_no_service(conversion.input.stack);
  if (!mistake.empty() && !said) {
    const bool dotted_key = network.name.empty() && key.find('.') != std::string::npos;
    conversion.error(network.at,
                     "networks." + key + ": " + mistake +
                         (dotted_key ? "; give it another one with name:" : ""));
  }
  for (const auto& subnet : network.subnets) {
    if (subnet.text.empty() || is_cidr(subnet.text)) continue;
    conversion.error(subnet.at,
                     "networks." + key + ".ipam: the engine takes no subnet such as " +
                         quoted(subnet.text) + "; write it with its prefix, such as 10.1.0.0/16");
  }
}

void check_name_for_engine(const Conversion& conversion,
                           const std::string& key,
                           const FileObject& object,
                           const std::string& kind,
                           const std::string& name) {
  const auto subject = kind + ' ' + key + ": ";
  if (name.size() > kLongestObjectName) {
    conversion.error(object.at,
                     subject + "the engine takes names of up to 64 characters, and " +
                         quoted(name) + " has " + std::to_string(name.size()));
  }
  const bool said = object.name.empty() && !conversion.file.services.empty() &&
                    is_for_no_service(conversion.input.stack);
  if (said || is_name(name, "-_.")) return;
  conversion.error(object.at,
                   subject + "the engine takes no name such as " + quoted(name) +
                       ": it is made of letters and digits, with '-', '_' and '.' inside");
}

void check_for_engine(const Conversion& conversion,
                      const std::string& key,
                      const FileObject& object,
                      const std::string& kind,
                      std::size_t bytes) {
  const auto subject = kind + ' ' + key + ": ";
  const auto limit = kind == "secret" ? kSecretLimit : kConfigLimit;
  if (bytes == 0) {
    conversion.error(object.file_at, subject + "the content is empty, which the engine refuses");
  } else if (bytes >= limit) {
    conversion.error(object.file_at,
                     subject + "the content has " + std::to_string(bytes) +
                         " bytes, and the engine takes less than " + std::to_string(limit));
  }
}

void check_letter_case_for_engine(const Conversion& conversion, const swarm::StackSpec& stack) {
  const auto check = [&](const std::string& kind, const auto& objects, const auto& defined) {
    std::map<std::string, std::pair<std::string, std::string>> taken;  // Key and name.
    for (const auto& [key, object] : objects) {
      const auto& name = name_of(object);
      const auto [other, is_new] = taken.try_emplace(lower(name), key, name);
      if (is_new || other->second.second == name) continue;
      const auto& [other_key, other_name] = other->second;
      auto at = defined.find(key);  // The network `default` may be written nowhere.
      if (at == defined.end()) at = defined.find(other_key);
      conversion.error(at->second.at,
                       kind + ' ' + key + ": the engine takes its name " + quoted(name) +
                           " for that of the " + kind + ' ' + other_key + ", " +
                           quoted(other_name) + ", for it heeds no case; call one of them " +
                           "something else");
    }
  };
  check("service", stack.services, conversion.file.services);
  check("network", stack.networks, conversion.file.networks);
  check("secret", stack.secrets, conversion.file.secrets);
  check("config", stack.configs, conversion.file.configs);
}

}  // namespace skep::compose
