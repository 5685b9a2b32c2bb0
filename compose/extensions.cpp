#include "compose/extensions.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "compose/casts.hpp"
#include "compose/paths.hpp"
#include "compose/rewrite.hpp"
#include "compose/stringify.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

using Condition = swarm::ServiceDependency::Condition;

/// A version that only docker compose had, or one written as a number, is the newest: no schema
/// refuses what an older one allows.
void relax_version(yaml::Node& root, Rewrite& rewrite) {
  auto* version = root.find("version");
  if (!version) return;
  const auto printed = stringify(*version);
  if (!printed && !version->is_null()) return;  // A list or a mapping is no version.
  const auto text = printed.value_or("");
  const bool known = text.empty() || (text.front() >= '1' && text.front() <= '9');
  if (known && !text.empty() && text.front() != '3') {
    rewrite.warning(version->at(), "version " + text + " is read as 3.13; remove the line");
  }
  if (known) *version = yaml::Node(std::string("3.13"), version->at());
}

std::optional<std::string> take_name(yaml::Node& root, Rewrite& rewrite) {
  const auto name = take(root, "name");
  if (!name) return std::nullopt;
  if (!name->value.as<std::string>()) rewrite.error(name->key_at, "name must be a string");
  return rewrite.interpolated(name->value, "name");
}

/// The services of all files together.
struct Members {
  std::set<std::string, std::less<>> deployed;
  std::map<std::string, std::string, std::less<>> off;  ///< By their profiles, which are the value.
};

yaml::Map* services_of(yaml::Node& root) {
  auto* section = root.find("services");
  return section ? section->as<yaml::Map>() : nullptr;
}

std::vector<std::string> profile_names(const yaml::Node& profiles,
                                       const std::string& path,
                                       Rewrite& rewrite) {
  std::vector<std::string> names;
  const auto* list = profiles.as<yaml::List>();
  if (!list) {
    const auto name = stringify(profiles);
    rewrite.error(profiles.at(),
                  path + " must be a list of names" + (name ? "; write [" + *name + ']' : ""));
    return names;
  }
  for (const auto& item : *list) {
    const auto written = stringify(item);
    if (!written) {
      rewrite.error(item.at(), path + " must be a list of names");
    } else if (const auto name = rewrite.interpolated({*written, item.at()}, path + ".[]")) {
      names.push_back(*name);
    }
  }
  return names;
}

/// Takes out the services whose profiles are not asked for, of every file.
Members apply_profiles(const std::vector<yaml::Node*>& roots, Rewrite& rewrite) {
  std::set<std::string, std::less<>> active;
  const auto& environment = rewrite.input().environment;
  if (const auto found = environment.find("COMPOSE_PROFILES"); found != environment.end()) {
    for (const auto name : split(found->second, ',')) active.insert(std::string(name));
  }
  struct Asked {
    std::vector<std::string> profiles;
    SourcePosition at;
  };
  std::map<std::string, Asked, std::less<>> asked;
  for (auto* root : roots) {
    auto* services = services_of(*root);
    if (!services) continue;
    for (auto& service : *services) {
      auto& all = asked[service.key];
      const auto profiles = take(service.value, "profiles");
      if (!profiles || profiles->value.is_null()) continue;
      auto names = profile_names(profiles->value, "services." + service.key + ".profiles", rewrite);
      if (all.profiles.empty()) all.at = profiles->key_at;
      std::move(names.begin(), names.end(), std::back_inserter(all.profiles));
    }
  }
  Members members;
  for (const auto& [key, all] : asked) {
    const bool wanted = all.profiles.empty() || active.contains("*") ||
                        std::any_of(all.profiles.begin(),
                                    all.profiles.end(),
                                    [&](const std::string& name) { return active.contains(name); });
    if (wanted) {
      members.deployed.insert(key);
      continue;
    }
    std::string names;
    for (const auto& name : all.profiles) names += (names.empty() ? "" : ", ") + name;
    rewrite.warning(all.at,
                    "service " + key + " is not deployed: none of its profiles (" + names +
                        ") is in COMPOSE_PROFILES");
    members.off.emplace(key, std::move(names));
  }
  for (auto* root : roots) {
    auto* services = services_of(*root);
    if (!services) continue;
    std::erase_if(*services,
                  [&](const auto& service) { return members.off.contains(service.key); });
  }
  return members;
}

std::string lacking(const std::string& name, const Members& members) {
  const auto off = members.off.find(name);
  if (off == members.off.end()) {
    auto message = "depends on " + quoted(name) + ", which is no service of this stack";
    const std::vector<std::string> services(members.deployed.begin(), members.deployed.end());
    if (const auto near = nearest(name, services); !near.empty())
      message += "; did you mean " + near + "?";
    return message;
  }
  return "depends on " + quoted(name) + ", which is not deployed: its profiles (" + off->second +
         ") are not in COMPOSE_PROFILES";
}

/// Whether `required: false` says so; true where it is not said.
bool is_required(const yaml::Node& mapping, const std::string& path, Rewrite& rewrite) {
  const auto* required = mapping.find("required");
  if (!required || required->is_null()) return true;
  if (const auto* flag = required->as<bool>()) return *flag;
  const auto text = rewrite.interpolated(*required, path + ".required");
  if (text && (*text == "true" || *text == "false")) return *text == "true";
  rewrite.error(required->at(), path + ".required must be true or false");
  return true;
}

/// "service_healthy"; nothing where it is mistaken.
std::optional<std::string> condition_of(const yaml::Node& dependency,
                                        const std::string& path,
                                        Rewrite& rewrite) {
  static const std::vector<std::string> kConditions = {
      "service_started", "service_healthy", "service_completed_successfully"};
  const auto* node = dependency.find("condition");
  if (!node || node->is_null()) return kConditions.front();
  const auto text = rewrite.interpolated(*node, path + ".condition");
  if (text && std::find(kConditions.begin(), kConditions.end(), *text) != kConditions.end())
    return text;
  auto message = path +
                 ".condition must be service_started, service_healthy or "
                 "service_completed_successfully";
  if (const auto near = nearest(text.value_or(""), kConditions); !near.empty())
    message += "; did you mean " + near + "?";
  rewrite.error(node->at(), std::move(message));
  return std::nullopt;
}

/// The mapping form of depends_on is carried beside the schema.
void carry_depends_on(yaml::Node& service,
                      const std::string& place,
                      const Members& members,
                      Rewrite& rewrite) {
  const auto* depends_on = service.find("depends_on");
  if (!depends_on || !depends_on->as<yaml::Map>()) return;
  auto entry = *take(service, "depends_on");
  yaml::Node carried(yaml::Map{}, entry.value.at());
  for (const auto& dependency : *entry.value.as<yaml::Map>()) {
    const auto path = place + '.' + dependency.key;
    if (!dependency.value.is_null() && !dependency.value.as<yaml::Map>()) {
      const auto text = stringify(dependency.value);
      rewrite.error(
          dependency.value.at(),
          path + " must be a mapping" +
              (text && text->starts_with("service_") ? "; write {condition: " + *text + '}' : ""));
      continue;
    }
    rewrite.only_known_keys(dependency.value, path, {"condition", "required", "restart"});
    const bool there = members.deployed.contains(dependency.key);
    if (is_required(dependency.value, path, rewrite) && !there)
      rewrite.error(dependency.key_at, lacking(dependency.key, members));
    auto condition = condition_of(dependency.value, path, rewrite);
    if (!there || !condition) continue;
    put(carried, dependency.key, yaml::Node(*std::move(condition), dependency.key_at));
  }
  put(service, kCarriedDependsOn, std::move(carried));
}

/// Long items of env_file become paths; an optional one that is not there is left out.
void shorten_env_files(yaml::Node& service, const std::string& where, Rewrite& rewrite) {
  auto* env_file = service.find("env_file");
  if (env_file && env_file->as<yaml::Map>()) {
    *env_file = yaml::Node(yaml::List{*env_file}, env_file->at());
  }
  auto* list = env_file ? env_file->as<yaml::List>() : nullptr;
  if (!list) return;
  std::erase_if(*list, [&](yaml::Node& item) {
    const auto* path = item.find("path");
    if (!path) return false;
    rewrite.only_known_keys(item, where, {"path", "required", "format"});
    auto shortened = *path;
    if (!is_required(item, where, rewrite)) {
      const auto text = rewrite.interpolated(*path, "env_file.path");
      if (!text) return true;
      const auto full = clean_path(resolve_path(rewrite.input().working_directory, *text));
      const auto found = rewrite.input().reader->read(full);
      if (found && !*found) return true;
    }
    item = std::move(shortened);
    return false;
  });
}

/// Long networks of a service: keys that have no place in the CLI's schema.
void relax_attachments(yaml::Node& service, const std::string& path, Rewrite& rewrite) {
  auto* networks = service.find("networks");
  auto* entries = networks ? networks->as<yaml::Map>() : nullptr;
  if (!entries) return;
  for (auto& network : *entries) {
    for (const auto* key : {"priority",
                            "gw_priority",
                            "mac_address",
                            "link_local_ips",
                            "interface_name",
                            "ipv4_address",
                            "ipv6_address"}) {
      if (const auto entry = take(network.value, key)) {
        rewrite.warning(
            entry->key_at,
            path + '.' + network.key + '.' + key + " is ignored: Swarm chooses addresses itself");
      }
    }
  }
}

/// Whether `external` says so, once its variables are put in; what is mistaken is refused later.
bool is_true(const yaml::Node& external, const Rewrite& rewrite) {
  if (external.as<yaml::Map>()) return true;
  auto flag = external.value();
  if (const auto text = rewrite.expanded(external)) {
    if (auto meant = cast("volumes.any.external", *text, false)) flag = *std::move(meant);
  }
  const auto* known = std::get_if<bool>(&flag);
  return known && *known;
}

/// An external volume is as it is; the CLI takes options beside `external: true` of a network only.
void drop_external_options(yaml::Node& volume, const std::string& name, Rewrite& rewrite) {
  const auto* external = volume.find("external");
  if (!external || !is_true(*external, rewrite)) return;
  for (const auto* key : {"driver", "driver_opts", "labels"}) {
    if (const auto entry = take(volume, key)) {
      rewrite.warning(entry->key_at,
                      "volumes." + name + ": " + key + " is ignored: the volume is external");
    }
  }
}

/// What the schema says of texts: to it these keys are nobody's.
void check_text(const yaml::Entry& entry, const std::string& path, Rewrite& rewrite) {
  if (entry.value.is_null() || entry.value.as<std::string>()) return;
  const bool nested = entry.value.as<yaml::List>() || entry.value.as<yaml::Map>();
  rewrite.error(entry.value.at(),
                path + '.' + entry.key + " must be a string; " +
                    (!nested                  ? "put it in quotes"
                     : entry.key == "content" ? "write a | behind the colon, and the text below it"
                                              : "write the name of one variable"));
}

void carry_data(yaml::Node& root, const char* section, Rewrite& rewrite) {
  auto* node = root.find(section);
  auto* entries = node ? node->as<yaml::Map>() : nullptr;
  if (!entries) return;
  for (auto& entry : *entries) {
    const auto path = std::string(section) + '.' + entry.key;
    const auto written = [&](const char* key) { return entry.value.find(key) ? 1 : 0; };
    if (written("file") + written("content") + written("environment") > 1) {
      rewrite.error(entry.key_at, path + ": only one of file, content and environment is allowed");
    }
    for (const auto& [key, carried] :
         {std::pair("content", kCarriedContent), std::pair("environment", kCarriedEnvironment)}) {
      auto data = take(entry.value, key);
      if (!data) continue;
      check_text(*data, path, rewrite);
      put(entry.value, carried, std::move(data->value));
    }
  }
}

void rewrite_file(yaml::Node& root, const Members& members, Rewrite& rewrite) {
  relax_version(root, rewrite);
  if (auto* services = services_of(root)) {
    for (auto& service : *services) {
      drop_service_keys(service.value, service.key, rewrite);
      const auto path = "services." + service.key;
      carry_depends_on(service.value, path + ".depends_on", members, rewrite);
      shorten_env_files(service.value, path + ".env_file.[]", rewrite);
      relax_attachments(service.value, path + ".networks", rewrite);
    }
  }
  auto* networks = root.find("networks");
  if (auto* entries = networks ? networks->as<yaml::Map>() : nullptr) {
    for (auto& entry : *entries) drop_network_keys(entry.value, entry.key, rewrite);
  }
  if (const auto models = take(root, "models")) {
    rewrite.warning(models->key_at, "models is ignored by Swarm: it is about docker compose");
  }
  auto* volumes = root.find("volumes");
  if (auto* entries = volumes ? volumes->as<yaml::Map>() : nullptr) {
    for (auto& entry : *entries) drop_external_options(entry.value, entry.key, rewrite);
  }
  carry_data(root, "secrets", rewrite);
  carry_data(root, "configs", rewrite);
}

}  // namespace

std::optional<std::string> apply_extensions(const std::vector<yaml::Node*>& roots,
                                            const Input& input,
                                            Findings& findings) {
  Rewrite rewrite(input, findings);
  std::optional<std::string> name;
  for (auto* root : roots) {
    apply_include(*root, rewrite);
    apply_extends(*root, rewrite);
    if (auto own = take_name(*root, rewrite)) name = std::move(own);
  }
  const auto members = apply_profiles(roots, rewrite);
  for (auto* root : roots) rewrite_file(*root, members, rewrite);
  return name;
}

void apply_carried(const Field& service, Service& result) {
  result.built = service[kCarriedBuild].present();
  const auto depends_on = service[kCarriedDependsOn];
  if (depends_on.present()) result.key_at["depends_on"] = depends_on.at();
  for (const auto& [name, key_at, value] : depends_on.members()) {
    const auto text = value.text();
    const auto condition = text == "service_healthy"                  ? Condition::healthy
                           : text == "service_completed_successfully" ? Condition::completed
                                                                      : Condition::started;
    result.depends_on.push_back({name, condition});
    result.waits_for.insert(name);
  }
}

void apply_content(const Field& written, const Input& input, FileObject& object) {
  const auto content = written[kCarriedContent];
  const auto environment = written[kCarriedEnvironment];
  const auto mistaken = [](const Field& value) { return value.present() && !value.is_text(); };
  object.unreadable = mistaken(content) || mistaken(environment);  // Said by carry_data.
  if (object.unreadable) return;
  if (content.present()) {
    object.content = content.text();
  } else if (environment.present()) {
    const auto variable = environment.text();
    const auto found = input.environment.find(variable);
    object.unreadable = found == input.environment.end();
    if (object.unreadable) {
      written.error("the variable " + quoted(variable) + " is not set");
    } else {
      object.content = found->second;
    }
  }
}

}  // namespace skep::compose
