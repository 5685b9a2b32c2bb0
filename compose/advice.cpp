#include "compose/advice.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "core/finding.hpp"

namespace skep::compose {
namespace {

/// Where a key is written: each kind has its own mistakes.
enum class KeyHolder { other, service, deploy, resources, logging, mount };

KeyHolder holder_of(std::string_view path) {
  if (!path.starts_with("services.")) return KeyHolder::other;
  const auto depth = 1 + std::count(path.begin(), path.end(), '.');
  if (depth == 2) return KeyHolder::service;
  if (depth == 3 && path.ends_with(".deploy")) return KeyHolder::deploy;
  if (depth == 3 && path.ends_with(".logging")) return KeyHolder::logging;
  if (depth == 4 && path.ends_with(".deploy.resources")) return KeyHolder::resources;
  if (depth == 4 && path.find(".volumes.") != std::string_view::npos) return KeyHolder::mount;
  return KeyHolder::other;
}

struct Misplaced {
  KeyHolder in;
  std::string_view key, place;
};
constexpr std::array kMisplaced = {
    Misplaced{KeyHolder::service, "mode", "deploy"},
    Misplaced{KeyHolder::service, "replicas", "deploy"},
    Misplaced{KeyHolder::service, "resources", "deploy"},
    Misplaced{KeyHolder::service, "restart_policy", "deploy"},
    Misplaced{KeyHolder::service, "placement", "deploy"},
    Misplaced{KeyHolder::service, "update_config", "deploy"},
    Misplaced{KeyHolder::service, "rollback_config", "deploy"},
    Misplaced{KeyHolder::service, "endpoint_mode", "deploy"},
    Misplaced{KeyHolder::service, "constraints", "deploy.placement"},
    Misplaced{KeyHolder::service, "preferences", "deploy.placement"},
    Misplaced{KeyHolder::service, "max_replicas_per_node", "deploy.placement"},
    Misplaced{KeyHolder::service, "limits", "deploy.resources"},
    Misplaced{KeyHolder::service, "reservations", "deploy.resources"},
    Misplaced{KeyHolder::service, "memory", "deploy.resources.limits"},
    Misplaced{KeyHolder::service, "cpu", "deploy.resources.limits, as cpus"},
    Misplaced{KeyHolder::deploy, "constraints", "deploy.placement"},
    Misplaced{KeyHolder::deploy, "preferences", "deploy.placement"},
    Misplaced{KeyHolder::deploy, "max_replicas_per_node", "deploy.placement"},
    Misplaced{KeyHolder::deploy, "limits", "deploy.resources"},
    Misplaced{KeyHolder::deploy, "reservations", "deploy.resources"},
    Misplaced{KeyHolder::deploy, "restart", "deploy.restart_policy, as condition"},
    Misplaced{KeyHolder::resources, "cpus", "deploy.resources.limits"},
    Misplaced{KeyHolder::resources, "memory", "deploy.resources.limits"},
    Misplaced{KeyHolder::resources, "pids", "deploy.resources.limits"},
    Misplaced{KeyHolder::logging, "max-size", "logging.options"},
    Misplaced{KeyHolder::logging, "max-file", "logging.options"},
    Misplaced{KeyHolder::logging, "compress", "logging.options"},
    Misplaced{KeyHolder::logging, "tag", "logging.options"},
    Misplaced{KeyHolder::logging, "labels", "logging.options"},
    Misplaced{KeyHolder::logging, "env", "logging.options"},
    Misplaced{KeyHolder::logging, "mode", "logging.options"},
};

/// Names that are too far from the right one for their letters to show it.
struct OtherName {
  KeyHolder in;
  std::string_view key, meant;
};
constexpr std::array kOtherNames = {
    OtherName{KeyHolder::service, "env", "environment"},
    OtherName{KeyHolder::service, "cmd", "command"},
    OtherName{KeyHolder::service, "depends", "depends_on"},
    OtherName{KeyHolder::mount, "src", "source"},
    OtherName{KeyHolder::mount, "dst", "target"},
    OtherName{KeyHolder::mount, "destination", "target"},
};

std::string place_advice(std::string_view place) {
  return "; its place is below " + std::string(place);
}

/// Its row in one of the tables above; nullptr without one.
template <typename Table>
const typename Table::value_type* find_row(const Table& table, KeyHolder in, std::string_view key) {
  const auto* const found = std::find_if(
      table.begin(), table.end(), [&](const auto& row) { return row.in == in && row.key == key; });
  return found == table.end() ? nullptr : found;
}

/// The keys that a service has in any version.
const std::set<std::string, std::less<>>& service_keys() {
  static const auto kKeys = [] {
    std::set<std::string, std::less<>> names;
    for (const auto& section : file_schema().object->keys) {
      if (section.name != "services") continue;
      for (const auto& key : section.type.object->others->object->keys) names.emplace(key.name);
    }
    return names;
  }();
  return kKeys;
}

bool is_service(const yaml::Node& node) {
  return node.find("image") != nullptr || node.find("build") != nullptr;
}

std::string did_you_mean(std::string_view name) {
  return "; did you mean " + std::string(name) + '?';
}

}  // namespace

std::string advice_for_key(std::string_view path, const yaml::Entry& entry) {
  if (path.empty()) return is_service(entry.value) ? "; a service stands below services:" : "";
  const auto in = holder_of(path);
  if (in == KeyHolder::other) return "";
  if (const auto* row = find_row(kMisplaced, in, entry.key)) return place_advice(row->place);
  if (const auto* row = find_row(kOtherNames, in, entry.key)) return did_you_mean(row->meant);
  if (in == KeyHolder::service && is_service(entry.value)) {
    return "; a service stands below services: " + entry.key + " is perhaps indented too far";
  }
  if (in == KeyHolder::deploy && service_keys().contains(entry.key)) {
    return "; its place is the service itself";
  }
  return "";
}

std::string advice_for_typo(std::string_view path,
                            std::string_view key,
                            const std::vector<std::string>& known) {
  const auto in = holder_of(path);
  auto candidates = known;
  for (const auto& row : kMisplaced) {
    if (in != KeyHolder::other && row.in == in) candidates.emplace_back(row.key);
  }
  const auto near = nearest(key, candidates);
  if (near.empty()) return "";
  if (const auto* row = find_row(kMisplaced, in, near)) {
    return did_you_mean(near) + " Its place is below " + std::string(row->place);
  }
  return did_you_mean(near);
}

std::string advice_for_value(std::string_view path, const yaml::Node& node, const Type& type) {
  const auto wants = [&](std::string_view word) {
    return type.expected.find(word) != std::string_view::npos;
  };
  if (node.as<double>() != nullptr && wants("integer")) return "; write a whole number";
  if (node.is_null() && wants("string or number")) {
    return "; where it has no value write \"\", as in encrypted: \"\"";
  }
  const auto depth = 1 + std::count(path.begin(), path.end(), '.');
  const auto name = path.substr(path.rfind('.') + 1);
  if (depth == 2 && (path.starts_with("secrets.") || path.starts_with("configs."))) {
    // What is no path may be the secret itself.
    const auto* text = node.as<std::string>();
    const bool is_path = text != nullptr && (text->starts_with("./") || text->starts_with("../"));
    return "; write " + std::string(name) + ": {file: " + (is_path ? *text : "PATH") +
           "}, or {external: true} for one that exists";
  }
  if (depth == 3 && name == "external" && node.is_null()) {
    return "; write true for what exists already";
  }
  if (depth == 3 && path.starts_with("services.") && name == "restart" && node.as<bool>()) {
    return *node.as<bool>() ? "; write always, unless-stopped or on-failure" : "; write \"no\"";
  }
  return "";
}

std::string advice_for_part_of_service(const yaml::Entry& entry) {
  const auto* place = find_row(kMisplaced, KeyHolder::service, entry.key);
  if (place == nullptr && !service_keys().contains(entry.key)) return "";
  if (entry.value.is_null() || is_service(entry.value)) return "";
  if (entry.value.as<yaml::Map>() != nullptr && first_foreign_key(entry.value) == nullptr)
    return "";
  const std::string below = place == nullptr ? "" : std::string(place->place) + " of ";
  return "; " + entry.key + " belongs below " + below +
         "a service: it is perhaps indented too little";
}

const yaml::Entry* first_foreign_key(const yaml::Node& service) {
  const auto* map = service.as<yaml::Map>();
  if (map == nullptr) return nullptr;
  const auto found = std::find_if(map->begin(), map->end(), [](const auto& entry) {
    return !entry.key.starts_with("x-") && !service_keys().contains(entry.key);
  });
  return found == map->end() ? nullptr : &*found;
}

}  // namespace skep::compose
