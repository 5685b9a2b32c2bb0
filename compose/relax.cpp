#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compose/rewrite.hpp"
#include "compose/stringify.hpp"

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

/// Lists whose items must differ.
const std::vector<Keys> kServiceSets = {{"cap_add"},
                                        {"cap_drop"},
                                        {"depends_on"},
                                        {"devices"},
                                        {"dns"},
                                        {"dns_search"},
                                        {"env_file"},
                                        {"environment"},
                                        {"expose"},
                                        {"external_links"},
                                        {"extra_hosts"},
                                        {"labels"},
                                        {"links"},
                                        {"networks"},
                                        {"ports"},
                                        {"security_opt"},
                                        {"sysctls"},
                                        {"tmpfs"},
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

void stringify_numbers(yaml::Node* node) {
  if (!node) return;
  if (auto* list = node->as<yaml::List>()) {
    for (auto& item : *list) stringify_numbers(&item);
  } else if (!node->is_null() && !node->as<yaml::Map>() && !node->as<std::string>()) {
    *node = yaml::Node(*stringify(*node), node->at());
  }
}

/// "0440" is octal where `octal` is set, as file modes are.
void count_from_text(yaml::Node* node, bool octal = false) {
  const auto* text = node ? node->as<std::string>() : nullptr;
  if (!text || text->empty()) return;
  std::int64_t value = 0;
  const int base = octal && text->front() == '0' ? 8 : 10;
  const char* end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, value, base);
  if (problem == std::errc() && stop == end) *node = yaml::Node(value, node->at());
}

void deduplicate(yaml::Node* node, Rewrite& rewrite) {
  auto* list = node ? node->as<yaml::List>() : nullptr;
  if (!list) return;
  yaml::List kept;
  std::set<std::string> known;
  for (auto& item : *list) {
    if (!known.insert(fingerprint(item)).second) {
      rewrite.warning(item.at(), "stands in the list already; once is enough");
    } else {
      kept.push_back(std::move(item));
    }
  }
  *list = std::move(kept);
}

/// Keys without a value, such as `labels:` with only comments below it.
void drop_nulls(yaml::Node* map, const std::string& path, const Keys& kept, Rewrite& rewrite) {
  auto* entries = map ? map->as<yaml::Map>() : nullptr;
  if (!entries) return;
  std::erase_if(*entries, [&](const yaml::Entry& entry) {
    if (!entry.value.is_null() || entry.key.rfind("x-", 0) == 0) return false;
    if (std::find(kept.begin(), kept.end(), entry.key) != kept.end()) return false;
    rewrite.warning(entry.key_at, path + '.' + entry.key + " is empty: taken as not written");
    return true;
  });
}

void relax_port(yaml::Node& port, Rewrite& rewrite) {
  if (!port.as<yaml::Map>()) return;
  count_from_text(port.find("published"));
  count_from_text(port.find("target"));
  if (const auto ip = take(port, "host_ip")) {
    rewrite.warning(ip->key_at, "host_ip is ignored: Swarm publishes ports on every address");
  }
  for (const auto* key : {"name", "app_protocol"}) {
    if (const auto entry = take(port, key)) {
      rewrite.warning(entry->key_at, std::string(key) + " of a port is ignored");
    }
  }
}

template <typename Function>
void for_each_item(yaml::Node* node, Function function) {
  auto* list = node ? node->as<yaml::List>() : nullptr;
  if (!list) return;
  for (auto& item : *list) function(item);
}

void relax_service(yaml::Node& service, const std::string& path, Rewrite& rewrite) {
  drop_nulls(&service, path, {"deploy", "pid"}, rewrite);
  drop_nulls(service.find("healthcheck"), path + ".healthcheck", {}, rewrite);
  drop_nulls(service.find("logging"), path + ".logging", {}, rewrite);
  auto* deploy = service.find("deploy");
  drop_nulls(deploy, path + ".deploy", {}, rewrite);
  for (const auto* key :
       {"resources", "placement", "update_config", "rollback_config", "restart_policy"}) {
    drop_nulls(at_path(service, {"deploy", key}), path + ".deploy." + key, {}, rewrite);
  }
  for (const auto& pairs : kServicePairs) stringify_booleans(at_path(service, pairs));
  for (const auto& texts : kServiceTexts) stringify_numbers(at_path(service, texts));
  for (const auto& count : kServiceCounts) count_from_text(at_path(service, count));
  for (const auto& set : kServiceSets) deduplicate(at_path(service, set), rewrite);
  for_each_item(service.find("ports"), [&](auto& port) { relax_port(port, rewrite); });
  for (const auto* key : {"secrets", "configs"}) {
    for_each_item(service.find(key), [](auto& item) { count_from_text(item.find("mode"), true); });
  }
}

void relax_object(yaml::Node& object, const std::string& path, Rewrite& rewrite) {
  drop_nulls(&object, path, {}, rewrite);
  for (const auto& pairs : kObjectPairs) stringify_booleans(at_path(object, pairs));
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
