#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compose/rewrite.hpp"
#include "compose/sizes.hpp"
#include "compose/stringify.hpp"
#include "compose/text.hpp"

// Values that the CLI refuses although what they mean is clear. Each is made what the CLI's schema
// wants; where something is left out, a warning says so.
namespace skep::compose {
namespace {

using Keys = std::vector<std::string_view>;

yaml::Node* at_path(yaml::Node& node, const Keys& path) {
  auto* place = &node;
  for (const auto key : path) {
    if (place) place = place->find(key);
  }
  return place;
}

/// Mappings of texts in which people write true and false bare.
const std::vector<Keys> kServicePairs = {{"environment"},
                                         {"labels"},
                                         {"sysctls"},
                                         {"extra_hosts"},
                                         {"deploy", "labels"},
                                         {"logging", "options"},
                                         {"build", "args"},
                                         {"build", "labels"}};
const std::vector<Keys> kObjectPairs = {{"labels"}, {"driver_opts"}};

/// Texts that people write as numbers, and lists of them.
const std::vector<Keys> kServiceTexts = {{"user"},
                                         {"hostname"},
                                         {"command"},
                                         {"entrypoint"},
                                         {"healthcheck", "test"},
                                         {"dns"},
                                         {"dns_search"},
                                         {"stop_signal"},
                                         {"cap_add"},
                                         {"cap_drop"},
                                         {"deploy", "resources", "limits", "cpus"},
                                         {"deploy", "resources", "limits", "memory"},
                                         {"deploy", "resources", "reservations", "cpus"},
                                         {"deploy", "resources", "reservations", "memory"}};

/// Counts that people write as texts.
const std::vector<Keys> kServiceCounts = {{"deploy", "replicas"},
                                          {"deploy", "update_config", "parallelism"},
                                          {"deploy", "rollback_config", "parallelism"},
                                          {"deploy", "restart_policy", "max_attempts"},
                                          {"deploy", "placement", "max_replicas_per_node"},
                                          {"deploy", "resources", "limits", "pids"},
                                          {"healthcheck", "retries"}};

/// Switches that people write as words, `yes` among them, which is a text to YAML 1.2.
const std::vector<Keys> kServiceSwitches = {
    {"tty"}, {"stdin_open"}, {"read_only"}, {"init"}, {"healthcheck", "disable"}};
const std::vector<Keys> kObjectSwitches = {{"external"}, {"internal"}, {"attachable"}};

/// Mappings and lists in which a key without a value says nothing.
const std::vector<Keys> kMayBeEmpty = {{},
                                       {"healthcheck"},
                                       {"logging"},
                                       {"credential_spec"},
                                       {"deploy"},
                                       {"deploy", "resources"},
                                       {"deploy", "resources", "limits"},
                                       {"deploy", "resources", "reservations"},
                                       {"deploy", "placement"},
                                       {"deploy", "update_config"},
                                       {"deploy", "rollback_config"},
                                       {"deploy", "restart_policy"}};
const std::vector<Keys> kServiceLists = {{"cap_add"},
                                         {"cap_drop"},
                                         {"command"},
                                         {"configs"},
                                         {"depends_on"},
                                         {"dns"},
                                         {"dns_search"},
                                         {"env_file"},
                                         {"environment"},
                                         {"extra_hosts"},
                                         {"labels"},
                                         {"networks"},
                                         {"ports"},
                                         {"secrets"},
                                         {"sysctls"},
                                         {"volumes"},
                                         {"deploy", "labels"},
                                         {"deploy", "placement", "constraints"},
                                         {"deploy", "placement", "preferences"}};

/// Lists whose items must differ.
const std::vector<Keys> kServiceSets = {{"cap_add"},         {"cap_drop"},       {"configs"},
                                        {"depends_on"},      {"devices"},        {"dns"},
                                        {"dns_search"},      {"env_file"},       {"environment"},
                                        {"expose"},          {"external_links"}, {"extra_hosts"},
                                        {"labels"},          {"links"},          {"networks"},
                                        {"ports"},           {"secrets"},        {"security_opt"},
                                        {"sysctls"},         {"tmpfs"},          {"volumes"},
                                        {"deploy", "labels"}};

void stringify_booleans(yaml::Node* map) {
  auto* entries = map ? map->as<yaml::Map>() : nullptr;
  if (!entries) return;
  for (auto& entry : *entries) {
    if (const auto* flag = entry.value.as<bool>()) {
      entry.value = yaml::Node(std::string(*flag ? "true" : "false"), entry.value.at());
    }
  }
}

/// As it stands in the file: a date is not to become a point in time.
std::optional<std::string> as_written(const yaml::Node& node) {
  const auto* time = node.as<yaml::Timestamp>();
  return time && !time->written.empty() ? time->written : stringify(node);
}

void stringify_numbers(yaml::Node* node) {
  if (!node) return;
  if (auto* list = node->as<yaml::List>()) {
    for (auto& item : *list) stringify_numbers(&item);
  } else if (!node->is_null() && !node->as<yaml::Map>() && !node->as<std::string>()) {
    *node = yaml::Node(*as_written(*node), node->at());
  }
}

/// A file's mode is octal, "440" as well as "0440" and "0o440".
void count_from_text(yaml::Node* node, bool octal = false) {
  const auto* text = node ? node->as<std::string>() : nullptr;
  if (!text || text->empty()) return;
  std::int64_t value = 0;
  const bool prefixed = octal && (text->starts_with("0o") || text->starts_with("0O"));
  const char* end = text->data() + text->size();
  const auto [stop, problem] =
      std::from_chars(text->data() + (prefixed ? 2 : 0), end, value, octal ? 8 : 10);
  if (problem == std::errc() && stop == end) *node = yaml::Node(value, node->at());
}

void number_from_text(yaml::Node* node) {
  const auto* text = node ? node->as<std::string>() : nullptr;
  if (!text || text->empty()) return;
  double value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, value);
  if (problem == std::errc() && stop == end) *node = yaml::Node(value, node->at());
}

void switch_from_text(yaml::Node* node) {
  const auto* text = node ? node->as<std::string>() : nullptr;
  if (!text) return;
  const auto word = lower(*text);
  const bool on = word == "true" || word == "yes" || word == "on";
  if (!on && word != "false" && word != "no" && word != "off") return;
  *node = yaml::Node(on, node->at());
}

/// "64m" where a number of bytes is meant.
void bytes_from_text(yaml::Node* node) {
  const auto* text = node ? node->as<std::string>() : nullptr;
  const auto bytes = text ? parse_size(*text) : Result<std::int64_t>(0);
  if (text && bytes) *node = yaml::Node(*bytes, node->at());
}

/// `- KEY: value` in a list of KEY=VALUE.
void join_pairs(yaml::Node* node) {
  auto* list = node ? node->as<yaml::List>() : nullptr;
  if (!list) return;
  for (auto& item : *list) {
    const auto* map = item.as<yaml::Map>();
    if (!map || map->size() != 1) continue;
    const auto& entry = map->front();
    const auto value =
        entry.value.is_null() ? std::optional<std::string>("") : as_written(entry.value);
    const bool scalar = !entry.value.as<yaml::Map>() && !entry.value.as<yaml::List>();
    if (scalar && value) item = yaml::Node(entry.key + '=' + *value, item.at());
  }
}

/// The parser places what is not there at whatever follows: its dash is the last one before.
SourcePosition dash_of(const SourcePosition& at, Rewrite& rewrite) {
  const auto& lines = rewrite.lines_of(at.file);
  for (auto number = std::min(at.line, static_cast<int>(lines.size())); number > 0; --number) {
    const auto line = lines[static_cast<std::size_t>(number) - 1];
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    const auto column = static_cast<int>(first) + 1;
    if (number == at.line && column >= at.column) continue;
    return line[first] == '-' ? SourcePosition{at.file, number, column} : at;
  }
  return at;
}

void drop_empty_items(yaml::Node* node, const std::string& path, Rewrite& rewrite) {
  auto* list = node ? node->as<yaml::List>() : nullptr;
  if (!list) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = (*list)[i];
    if (!item.is_null()) continue;
    rewrite.warning(dash_of(item.at(), rewrite),
                    path + '.' + std::to_string(i) + " is empty: taken as not written");
  }
  std::erase_if(*list, [](const yaml::Node& item) { return item.is_null(); });
}

/// Of KEY=VALUE items the last one stays: between two there may be another value of the key.
void deduplicate(yaml::Node* node,
                 const std::string& path,
                 Rewrite& rewrite,
                 bool keep_last = false) {
  auto* list = node ? node->as<yaml::List>() : nullptr;
  if (!list) return;
  yaml::List kept;
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto [known, fresh] = last.emplace(fingerprint((*list)[i]), i);
    if (fresh) continue;
    rewrite.warning((*list)[i].at(),
                    path + '.' + std::to_string(i) + " stands in the list already; once is enough");
    if (keep_last) known->second = i;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto& item = (*list)[i];
    if (last.at(fingerprint(item)) == i) kept.push_back(std::move(item));
  }
  *list = std::move(kept);
}

/// Keys without a value, such as `labels:` with only comments below it. Gives those back.
yaml::Map drop_nulls(yaml::Node* map, const std::string& path, const Keys& kept, Rewrite& rewrite) {
  yaml::Map dropped;
  auto* entries = map ? map->as<yaml::Map>() : nullptr;
  if (!entries) return dropped;
  std::erase_if(*entries, [&](const yaml::Entry& entry) {
    if (!entry.value.is_null() || entry.key.rfind("x-", 0) == 0) return false;
    if (std::find(kept.begin(), kept.end(), entry.key) != kept.end()) return false;
    rewrite.warning(entry.key_at, path + '.' + entry.key + " is empty: taken as not written");
    dropped.push_back(entry);
    return true;
  });
  return dropped;
}

void relax_port(yaml::Node& port, const std::string& path, Rewrite& rewrite) {
  if (!port.as<yaml::Map>()) return;
  drop_nulls(&port, path, {}, rewrite);
  count_from_text(port.find("published"));
  count_from_text(port.find("target"));
  if (const auto ip = take(port, "host_ip")) {
    rewrite.warning(ip->key_at,
                    path + ".host_ip is ignored: Swarm publishes ports on every address");
  }
  for (const auto* key : {"name", "app_protocol"}) {
    if (const auto entry = take(port, key)) {
      rewrite.warning(entry->key_at, path + '.' + key + " is ignored: Swarm keeps no such word");
    }
  }
}

/// Calls `function(item, path of the item)`.
template <typename Function>
void for_each_item(yaml::Node* node, const std::string& path, Function function) {
  auto* list = node ? node->as<yaml::List>() : nullptr;
  if (!list) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    function((*list)[i], path + '.' + std::to_string(i));
  }
}

/// A long volume without a type is what the short form would make of it.
void relax_volume(yaml::Node& volume, const std::string& path, Rewrite& rewrite) {
  if (!volume.as<yaml::Map>()) return;
  drop_nulls(&volume, path, {}, rewrite);
  switch_from_text(volume.find("read_only"));
  switch_from_text(at_path(volume, {"volume", "nocopy"}));
  bytes_from_text(at_path(volume, {"tmpfs", "size"}));
  const auto* source = volume.find("source");
  const auto* text = source ? source->as<std::string>() : nullptr;
  if (volume.find("type") || (source && !text)) return;
  const bool is_path = text && !text->empty() &&
                       std::string_view("./~").find(text->front()) != std::string_view::npos;
  const std::string type = is_path ? "bind" : "volume";
  // With this key, which the schema refuses, it is not known what the type would be.
  if (!volume.find("src")) {
    rewrite.warning(volume.at(), path + " has no type: taken as type: " + type);
  }
  put(volume, "type", yaml::Node(type, volume.at()));
}

/// The words of `restart`, which the engine knows under other names in a restart_policy.
void relax_condition(yaml::Node* condition, const std::string& path, Rewrite& rewrite) {
  if (!condition) return;
  if (const auto* flag = condition->as<bool>(); flag && !*flag) {
    *condition = yaml::Node(std::string("no"), condition->at());
  }
  const auto* text = condition->as<std::string>();
  if (!text) return;
  const std::string meant = *text == "always" || *text == "unless-stopped" ? "any"
                            : *text == "no" || *text == "never"            ? "none"
                            : *text == "on_failure"                        ? "on-failure"
                                                                           : "";
  if (meant.empty()) return;
  rewrite.warning(condition->at(),
                  path + ".deploy.restart_policy.condition: " + *text + " is taken as " + meant +
                      "; the engine knows none, on-failure and any");
  *condition = yaml::Node(meant, condition->at());
}

void relax_reference(yaml::Node& reference) {
  count_from_text(reference.find("mode"), true);
  stringify_numbers(reference.find("uid"));
  stringify_numbers(reference.find("gid"));
}

/// "512Mi", as other orchestrators write it; to the CLI both M and MiB are this.
void relax_memory(yaml::Node* memory) {
  const auto* text = memory ? memory->as<std::string>() : nullptr;
  if (!text || text->size() < 3) return;
  const auto end = lower(std::string_view(*text).substr(text->size() - 2));
  if (end.back() != 'i' || std::string_view("kmgtp").find(end.front()) == std::string_view::npos) {
    return;
  }
  *memory = yaml::Node(text->substr(0, text->size() - 1), memory->at());
}

/// The shell's word for no limit.
void limit_from_text(yaml::Node* limit) {
  const auto* text = limit ? limit->as<std::string>() : nullptr;
  if (text && lower(*text) == "unlimited") {
    *limit = yaml::Node(std::int64_t{-1}, limit->at());
  } else {
    count_from_text(limit);
  }
}

void relax_ulimits(yaml::Node* ulimits) {
  auto* entries = ulimits ? ulimits->as<yaml::Map>() : nullptr;
  if (!entries) return;
  for (auto& entry : *entries) {
    limit_from_text(&entry.value);
    limit_from_text(entry.value.find("soft"));
    limit_from_text(entry.value.find("hard"));
  }
}

void relax_aliases(yaml::Node* networks, const std::string& path, Rewrite& rewrite) {
  auto* entries = networks ? networks->as<yaml::Map>() : nullptr;
  if (!entries) return;
  for (auto& entry : *entries) {
    const auto place = path + '.' + entry.key;
    drop_nulls(&entry.value, place, {}, rewrite);
    auto* aliases = entry.value.find("aliases");
    drop_empty_items(aliases, place + ".aliases", rewrite);
    deduplicate(aliases, place + ".aliases", rewrite);
    stringify_numbers(aliases);
  }
}

void relax_service(yaml::Node& service, const std::string& path, Rewrite& rewrite) {
  const auto joined = [&path](const Keys& place) {
    std::string name = path;
    for (const auto key : place) name += '.' + std::string(key);
    return name;
  };
  for (const auto& place : kMayBeEmpty) {
    auto dropped = drop_nulls(at_path(service, place),
                              joined(place),
                              place.empty() ? Keys{"deploy", "pid"} : Keys{},
                              rewrite);
    if (place.empty() && !dropped.empty()) {
      put(service, kCarriedEmptyKeys, yaml::Node(std::move(dropped), service.at()));
    }
  }
  for (const auto& list : kServiceLists) {
    drop_empty_items(at_path(service, list), joined(list), rewrite);
  }
  for (const auto& pairs : kServicePairs) {
    join_pairs(at_path(service, pairs));
    stringify_booleans(at_path(service, pairs));
  }
  for (const auto& texts : kServiceTexts) stringify_numbers(at_path(service, texts));
  for (const auto& count : kServiceCounts) count_from_text(at_path(service, count));
  for_each_item(at_path(service, {"deploy", "resources", "reservations", "generic_resources"}),
                path,
                [](auto& item, const auto&) {
                  count_from_text(at_path(item, {"discrete_resource_spec", "value"}));
                });
  for (const auto& word : kServiceSwitches) switch_from_text(at_path(service, word));
  for (const auto* bounds : {"limits", "reservations"}) {
    relax_memory(at_path(service, {"deploy", "resources", bounds, "memory"}));
  }
  for (const auto* config : {"update_config", "rollback_config"}) {
    number_from_text(at_path(service, {"deploy", config, "max_failure_ratio"}));
  }
  for (const auto& set : kServiceSets) {
    const auto key = set.back();
    deduplicate(
        at_path(service, set), joined(set), rewrite, key == "environment" || key == "labels");
  }
  // To YAML 1.1 `no` was false, and some tools write it so.
  if (auto* restart = service.find("restart"); restart && restart->as<bool>()) {
    if (!*restart->as<bool>()) *restart = yaml::Node(std::string("no"), restart->at());
  }
  relax_condition(at_path(service, {"deploy", "restart_policy", "condition"}), path, rewrite);
  for_each_item(service.find("ports"), path + ".ports", [&](auto& port, const auto& place) {
    relax_port(port, place, rewrite);
  });
  for_each_item(service.find("volumes"), path + ".volumes", [&](auto& volume, const auto& place) {
    relax_volume(volume, place, rewrite);
  });
  for (const auto* key : {"secrets", "configs"}) {
    for_each_item(service.find(key), path, [](auto& item, const auto&) { relax_reference(item); });
  }
  relax_ulimits(service.find("ulimits"));
  relax_aliases(service.find("networks"), path + ".networks", rewrite);
}

void relax_object(yaml::Node& object, const std::string& path, Rewrite& rewrite) {
  // With a name it was to be something that exists: the schema refuses to guess.
  drop_nulls(&object, path, object.find("name") ? Keys{"external"} : Keys{}, rewrite);
  drop_nulls(object.find("ipam"), path + ".ipam", {}, rewrite);
  for (const auto& pairs : kObjectPairs) {
    join_pairs(at_path(object, pairs));
    stringify_booleans(at_path(object, pairs));
  }
  for (const auto& word : kObjectSwitches) switch_from_text(at_path(object, word));
  stringify_numbers(object.find("name"));
}

}  // namespace

void relax_values(yaml::Node& root, Rewrite& rewrite) {
  auto* top = root.as<yaml::Map>();
  if (!top) return;
  // An empty `services:` stays an error: it would mean that the whole stack goes.
  std::erase_if(*top, [&](const yaml::Entry& entry) {
    const bool section = entry.key == "networks" || entry.key == "volumes" ||
                         entry.key == "secrets" || entry.key == "configs";
    if (!section || !entry.value.is_null()) return false;
    rewrite.warning(entry.key_at, entry.key + " is empty: taken as not written");
    return true;
  });
  for (auto& section : *top) {
    auto* entries = section.value.as<yaml::Map>();
    if (!entries || section.key.rfind("x-", 0) == 0) continue;
    for (auto& entry : *entries) {
      const auto path = section.key + '.' + entry.key;
      if (section.key == "services") {
        relax_service(entry.value, path, rewrite);
      } else {
        relax_object(entry.value, path, rewrite);
      }
    }
  }
}

}  // namespace skep::compose
