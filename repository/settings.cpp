#include "repository/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "core/ascii.hpp"
#include "repository/mapping_reader.hpp"

namespace skep::repository {
namespace {

/// A mode, or a mapping of mode and directories (design §7).
void read_repo_files(MappingReader& reader,
                     const yaml::Node& node,
                     StackPolicy& policy,
                     Findings& findings) {
  const auto name = reader.named("repo_files");
  MappingReader inside(name, findings);
  const auto read_mode = [&](const yaml::Node& mode, MappingReader& place, const char* key) {
    place.word<RepoFiles>(mode,
                          key,
                          {{"config", RepoFiles::config},
                           {"checkout", RepoFiles::checkout},
                           {"host", RepoFiles::host}},
                          policy.repo_files);
  };
  if (node.as<yaml::Map>() == nullptr) return read_mode(node, reader, "repo_files");
  inside.key("mode", [&](const yaml::Node& mode) { read_mode(mode, inside, "mode"); })
      .key("directories", [&](const yaml::Node& list) {
        policy.repo_directories.clear();
        inside.strings(list, "directories", policy.repo_directories);
      });
  inside.read(node);
}

void add_policy_keys(MappingReader& reader, StackPolicy& policy, Findings& findings) {
  reader
      .key("sync",
           [&](const yaml::Node& node) {
             reader.word<SyncMode>(node,
                                   "sync",
                                   {{"auto", SyncMode::automatic},
                                    {"manual", SyncMode::manual},
                                    {"observe", SyncMode::observe}},
                                   policy.sync);
           })
      .key("self_heal",
           [&](const yaml::Node& node) {
             reader.word<SelfHeal>(
                 node,
                 "self_heal",
                 {{"true", SelfHeal::on}, {"false", SelfHeal::off}, {"warn", SelfHeal::warn}},
                 policy.self_heal);
           })
      .key("adopt",
           [&](const yaml::Node& node) {
             reader.word<bool>(
                 node, "adopt", {{"ask", false}, {"auto", true}}, policy.adopt_automatically);
           })
      .key("prune", [&](const yaml::Node& node) { reader.boolean(node, "prune", policy.prune); })
      .key("strict", [&](const yaml::Node& node) { reader.boolean(node, "strict", policy.strict); })
      .key("replace",
           [&](const yaml::Node& node) {
             reader.word<bool>(
                 node, "replace", {{"never", false}, {"allowed", true}}, policy.allow_replace);
           })
      .key("on_failure",
           [&](const yaml::Node& node) {
             reader.word<OnFailure>(node,
                                    "on_failure",
                                    {{"rollback", OnFailure::rollback},
                                     {"pause", OnFailure::pause},
                                     {"keep", OnFailure::keep}},
                                    policy.on_failure);
           })
      .key("repo_files",
           [&](const yaml::Node& node) { read_repo_files(reader, node, policy, findings); })
      .key("resolve_image",
           [&](const yaml::Node& node) {
             reader.word<diff::ResolveImage>(node,
                                             "resolve_image",
                                             {{"always", diff::ResolveImage::always},
                                              {"changed", diff::ResolveImage::changed},
                                              {"never", diff::ResolveImage::never}},
                                             policy.resolve_image);
           })
      .key("windows", [&](const yaml::Node& node) { read_windows(node, policy.windows, findings); })
      .key("timeout", [&](const yaml::Node& node) {
        const auto* text = node.as<std::string>();
        const auto duration = text != nullptr ? parse_duration(*text) : std::nullopt;
        if (duration && *duration >= std::chrono::seconds(1)) {
          policy.timeout = std::chrono::duration_cast<std::chrono::seconds>(*duration);
        } else {
          complain(
              findings,
              node.at(),
              reader.named("timeout") + " must be a duration of at least 1s, such as 90s or 5m");
        }
      });
}

/// What `${NAME}` can stand for.
bool is_variable(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '_';
         });
}

/// ADDRESS/BITS, of either family.
bool is_subnet(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return false;
  const auto address = text.substr(0, slash);
  std::array<unsigned char, 16> bytes{};
  const int most = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1    ? 32
                   : ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1 ? 128
                                                                               : -1;
  int bits = -1;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
  return error == std::errc() && at == end && bits >= 0 && bits <= most;
}

swarm::NetworkSpec read_network(const std::string& name,
                                const yaml::Node& node,
                                Findings& findings) {
  swarm::NetworkSpec network;
  network.name = name;
  MappingReader reader("networks." + name, findings);
  std::vector<std::string> subnets;
  reader
      .key("driver", [&](const yaml::Node& value) { reader.text(value, "driver", network.driver); })
      .key(
          "attachable",
          [&](const yaml::Node& value) { reader.boolean(value, "attachable", network.attachable); })
      .key("internal",
           [&](const yaml::Node& value) { reader.boolean(value, "internal", network.internal); })
      .key("subnets",
           [&](const yaml::Node& value) {
             reader.strings(value, "subnets", subnets);
             for (const auto& subnet : subnets) {
               if (!is_subnet(subnet)) {
                 complain(findings,
                          value.at(),
                          reader.named("subnets") + ": " + subnet +
                              " is no subnet such as 10.20.0.0/16 or fd00:1::/64");
               }
             }
           })
      .key("driver_opts", [&](const yaml::Node& value) {
        const auto* options = value.as<yaml::Map>();
        if (options == nullptr) {
          complain(findings, value.at(), reader.named("driver_opts") + " must be a mapping");
          return;
        }
        for (const auto& option : *options) {
          reader.text(option.value, "driver_opts." + option.key, network.options[option.key]);
        }
      });
  reader.read(node);
  if (!subnets.empty()) {
    network.ipam.emplace();
    for (auto& subnet : subnets) network.ipam->config.push_back({std::move(subnet)});
  }
  return network;
}

void read_ignore(const yaml::Node& node, std::vector<IgnoreRule>& rules, Findings& findings) {
  const auto* list = node.as<yaml::List>();
  if (list == nullptr) {
    complain(findings,
             node.at(),
             "ignore must be a list such as - { service: app, path: /Mode/Replicated/Replicas }");
    return;
  }
  for (const auto& item : *list) {
    IgnoreRule rule;
    rule.at = item.at();
    MappingReader reader("ignore[]", findings);
    reader
        .key("service",
             [&](const yaml::Node& value) { reader.text(value, "service", rule.service); })
        .key("path", [&](const yaml::Node& value) { reader.text(value, "path", rule.text); });
    reader.read(item);
    if (rule.service.empty()) {
      complain(findings, item.at(), "ignore[] needs the key of a service: service: app");
      continue;
    }
    auto path = parse_service_pointer(rule.text);
    if (!path) {
      complain(findings, item.at(), "ignore[].path: " + path.error().message);
      continue;
    }
    rule.path = *std::move(path);
    rules.push_back(std::move(rule));
  }
}

std::vector<GroupSettings> default_groups() {
  return {{"management", "", {}}, {"apps", "management", {}}};
}

void read_groups(const yaml::Node& node, std::vector<GroupSettings>& groups, Findings& findings) {
  const auto* list = node.as<yaml::List>();
  if (list == nullptr) {
    complain(
        findings, node.at(), "groups must be a list such as - { path: apps/*, after: management }");
    return;
  }
  groups.clear();
  for (const auto& item : *list) {
    GroupSettings group;
    group.at = item.at();
    MappingReader reader("groups[]", findings);
    reader.key("path", [&](const yaml::Node& value) { reader.text(value, "path", group.name); })
        .key("after", [&](const yaml::Node& value) { reader.text(value, "after", group.after); });
    reader.read(item);
    const auto star = group.name.rfind("/*");
    if (star == std::string::npos || star + 2 != group.name.size() || star == 0) {
      complain(findings, item.at(), "groups[].path must be a directory and a star, such as apps/*");
      continue;
    }
    group.name.resize(star);
    if (group.after.size() > 2 && group.after.ends_with("/*"))
      group.after.resize(group.after.size() - 2);
    groups.push_back(std::move(group));
  }
  // Written order is kept except that `after` moves a group behind the one it names; a cycle or an
  // unknown name is an error.
  std::vector<GroupSettings> ordered;
  auto waiting = groups;
  while (!waiting.empty()) {
    const auto ready =
        std::find_if(waiting.begin(), waiting.end(), [&](const GroupSettings& group) {
          return group.after.empty() ||
                 std::any_of(ordered.begin(), ordered.end(), [&](const GroupSettings& earlier) {
                   return earlier.name == group.after;
                 });
        });
    if (ready == waiting.end()) {
      for (const auto& group : waiting) {
        complain(findings,
                 group.at,
                 "group " + group.name + " waits for " + group.after +
                     ", which is not a group or waits for this one");
      }
      return;
    }
    ordered.push_back(*ready);
    waiting.erase(ready);
  }
  groups = std::move(ordered);
}

void read_nodes(const yaml::Node& node,
                std::map<std::string, swarm::StringMap>& nodes,
                Findings& findings) {
  const auto* hosts = node.as<yaml::Map>();
  if (hosts == nullptr) {
    complain(findings, node.at(), "nodes must be a mapping of hostnames to { labels: … }");
    return;
  }
  for (const auto& host : *hosts) {
    MappingReader reader("nodes." + host.key, findings);
    reader.key("labels", [&](const yaml::Node& value) {
      const auto* labels = value.as<yaml::Map>();
      if (labels == nullptr) {
        complain(findings, value.at(), reader.named("labels") + " must be a mapping");
        return;
      }
      for (const auto& label : *labels) {
        if (label.value.as<std::string>() == nullptr) {
          complain(findings,
                   label.value.at(),
                   reader.named("labels." + label.key) + " must be a string: put it in quotes");
          continue;
        }
        nodes[host.key][label.key] = *label.value.as<std::string>();
      }
    });
    reader.read(host.value);
  }
}

void read_files(const yaml::Node& node,
                const std::string& kind,
                std::map<std::string, ClusterFile>& files,
                Findings& findings) {
  const auto* entries = node.as<yaml::Map>();
  if (entries == nullptr) {
    complain(findings, node.at(), kind + " must be a mapping of names to { file: … }");
    return;
  }
  for (const auto& entry : *entries) {
    ClusterFile file;
    file.at = entry.value.at();
    MappingReader reader(kind + "." + entry.key, findings);
    reader.key("file", [&](const yaml::Node& value) { reader.text(value, "file", file.file); });
    reader.read(entry.value);
    if (file.file.empty()) {
      complain(findings, file.at, reader.named("file") + " is missing");
    } else {
      files[entry.key] = std::move(file);
    }
  }
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.empty() || text.size() > 32) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 10) {
      number = number * 10 + (text[digits++] - '0');
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    std::int64_t unit = 0;
    std::size_t length = 1;
    if (text.starts_with("ms")) {
      unit = 1;
      length = 2;
    } else if (text.starts_with("s")) {
      unit = 1000;
    } else if (text.starts_with("m")) {
      unit = 60'000;
    } else if (text.starts_with("h")) {
      unit = 3'600'000;
    } else if (text.starts_with("d")) {
      unit = 86'400'000;
    } else {
      return std::nullopt;
    }
    text.remove_prefix(length);
    total += number * unit;
  }
  return std::chrono::milliseconds(total);
}

ClusterSettings read_cluster_settings(const yaml::Node& root, Findings& findings) {
  ClusterSettings settings;
  settings.groups = default_groups();
  MappingReader reader("", findings);
  reader
      .key("networks",
           [&](const yaml::Node& node) {
             const auto* networks = node.as<yaml::Map>();
             if (networks == nullptr) {
               complain(findings, node.at(), "networks must be a mapping of names to options");
               return;
             }
             for (const auto& entry : *networks) {
               settings.networks[entry.key] = read_network(entry.key, entry.value, findings);
             }
           })
      .key("groups", [&](const yaml::Node& node) { read_groups(node, settings.groups, findings); })
      .key("variables",
           [&](const yaml::Node& node) {
             const auto* variables = node.as<yaml::Map>();
             if (variables == nullptr) {
               complain(findings, node.at(), "variables must be a mapping of names to values");
               return;
             }
             for (const auto& entry : *variables) {
               if (entry.value.as<std::string>() == nullptr) {
                 complain(findings,
                          entry.value.at(),
                          "variables." + entry.key + " must be a string: put it in quotes");
                 continue;
               }
               settings.variables[entry.key] = *entry.value.as<std::string>();
               if (!is_variable(entry.key)) {
                 findings.push_back({Finding::Severity::warning,
                                     "variables." + entry.key +
                                         ": no compose file can use it, for the name of a variable "
                                         "is made of letters, digits and _; templates can",
                                     entry.key_at});
               }
             }
           })
      .key("defaults",
           [&](const yaml::Node& node) {
             MappingReader defaults("defaults", findings);
             add_policy_keys(defaults, settings.defaults, findings);
             defaults.read(node);
           })
      .key("nodes", [&](const yaml::Node& node) { read_nodes(node, settings.nodes, findings); })
      .key("secrets",
           [&](const yaml::Node& node) { read_files(node, "secrets", settings.secrets, findings); })
      .key("configs", [&](const yaml::Node& node) {
        read_files(node, "configs", settings.configs, findings);
      });
  reader.read(root);
  return settings;
}

StackSettings read_stack_settings(const yaml::Node& root,
                                  const StackPolicy& defaults,
                                  Findings& findings) {
  StackSettings settings;
  settings.policy = defaults;
  MappingReader reader("", findings);
  reader
      .key("name",
           [&](const yaml::Node& node) {
             std::string name;
             reader.text(node, "name", name);
             settings.name = std::move(name);
             settings.name_at = node.at();
           })
      .key("enabled",
           [&](const yaml::Node& node) { reader.boolean(node, "enabled", settings.enabled); })
      .key("compose",
           [&](const yaml::Node& node) {
             reader.strings(node, "compose", settings.compose, &settings.compose_at);
           })
      .key("depends_on",
           [&](const yaml::Node& node) {
             reader.strings(node, "depends_on", settings.depends_on, &settings.depends_on_at);
           })
      .key("template",
           [&](const yaml::Node& node) {
             std::string name;
             reader.text(node, "template", name);
             settings.template_name = std::move(name);
             settings.template_at = node.at();
           })
      .key("values",
           [&](const yaml::Node& node) {
             reader.strings(node, "values", settings.values.emplace());
             settings.values_at = node.at();
           })
      .key("ignore", [&](const yaml::Node& node) { read_ignore(node, settings.ignore, findings); })
      .key("hooks", [&](const yaml::Node& node) { read_hooks(node, settings.hooks, findings); });
  add_policy_keys(reader, settings.policy, findings);
  reader.read(root);
  if (settings.template_name && !settings.compose.empty()) {
    complain(findings,
             settings.template_at,
             "a stack has either template: or compose:, not both; remove one of them");
  }
  if (settings.values && !settings.template_name) {
    complain(findings,
             settings.values_at,
             "values: is for stacks that are made from a template; add template: NAME, or remove "
             "it");
  }
  return settings;
}

}  // namespace skep::repository
