#include "sops/metadata.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace skep::sops {
namespace {

/// More recipients than this are nobody's; each one costs a curve operation for each key at hand.
constexpr std::size_t kMostKeys = 200;

constexpr std::string_view kList = "__list_";
constexpr std::string_view kMap = "__map_";

Error unusable(std::string message) {
  return {ErrorKind::invalid_input, "the SOPS metadata " + std::move(message)};
}

struct Indexed {
  std::size_t index = 0;
  std::string_view rest;
};

/// "__list_12__map_enc" → 12, "__map_enc".
std::optional<Indexed> take_index(std::string_view name) {
  if (!name.starts_with(kList)) return std::nullopt;
  name.remove_prefix(kList.size());
  Indexed found;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), found.index);
  if (code != std::errc()) return std::nullopt;
  found.rest = name.substr(static_cast<std::size_t>(end - name.data()));
  return found;
}

/// By group and place in it.
using Keys = std::map<std::pair<std::size_t, std::size_t>, WrappedKey>;

/// `name` is what follows "age". Errors: unusable().
Result<void> add_age_key(std::string_view name,
                         const std::string& value,
                         std::size_t group,
                         Keys& keys) {
  const auto at = take_index(name);
  if (!at || at->index >= kMostKeys) {
    return at ? unusable("has more than " + std::to_string(kMostKeys) + " recipients")
              : unusable("has a malformed list of age keys");
  }
  auto& key = keys[{group, at->index}];
  key.group = group;
  if (at->rest == "__map_recipient") key.recipient = value;
  if (at->rest == "__map_enc") key.sealed = value;
  return {};
}

std::optional<Rules::Kind> rule_named(std::string_view name) {
  for (const auto kind : kRuleKinds) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

void add_once(std::vector<std::string>& names, std::string_view name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

}  // namespace

Result<Metadata> parse_metadata(const FlatMetadata& flat) {
  Metadata metadata;
  Keys keys;
  bool ruled = false;
  for (const auto& [name, value] : flat) {
    const auto stem = std::string_view(name).substr(0, name.find("__"));
    const auto rest = std::string_view(name).substr(stem.size());
    if (stem == "age" && !rest.empty()) {
      if (auto added = add_age_key(rest, value, 0, keys); !added) return std::move(added).error();
    } else if (stem == "key_groups" && !rest.empty()) {
      const auto group = take_index(rest);
      if (!group || group->index >= kMostKeys) return unusable("has malformed key_groups");
      metadata.groups = std::max(metadata.groups, group->index + 1);
      auto inner = group->rest;
      if (inner.starts_with(kMap)) inner.remove_prefix(kMap.size());
      const auto kind = inner.substr(0, inner.find("__"));
      if (kind != "age") {
        if (!kind.empty()) add_once(metadata.other_keys, kind);
      } else if (auto added = add_age_key(inner.substr(3), value, group->index, keys); !added) {
        return std::move(added).error();
      }
    } else if (name == "shamir_threshold") {
      const auto* end = value.data() + value.size();
      const auto [stop, code] = std::from_chars(value.data(), end, metadata.threshold);
      if (code != std::errc() || stop != end) return unusable("has a malformed shamir_threshold");
    } else if (const auto kind = rule_named(name); kind && !value.empty()) {
      if (ruled) return unusable("has more than one of encrypted_… and unencrypted_…");
      ruled = true;
      metadata.rules.kind = *kind;
      metadata.rules.text = value;
    } else if (name == "mac_only_encrypted") {
      metadata.rules.mac_only_encrypted = value == "true";
    } else if (name == "lastmodified") {
      metadata.last_modified = value;
    } else if (name == "mac") {
      metadata.mac = value;
    } else if (name == "version") {
      metadata.version = value;
    } else if (!rest.empty()) {
      add_once(metadata.other_keys, stem);
    }
  }
  for (auto& [index, key] : keys) {
    if (!key.sealed.empty()) metadata.keys.push_back(std::move(key));
  }
  if (metadata.mac.empty()) return unusable("has no mac: the file was changed, or is not whole");
  if (metadata.last_modified.empty()) return unusable("has no lastmodified");
  return metadata;
}

std::size_t needed_groups(const Metadata& metadata) {
  if (metadata.groups < 2) return 1;
  return metadata.threshold == 0 ? metadata.groups : metadata.threshold;
}

FlatMetadata flat(const Metadata& metadata) {
  FlatMetadata flat;
  std::map<std::size_t, std::size_t> places;
  for (const auto& key : metadata.keys) {
    const auto of_group =
        "key_groups" + std::string(kList) + std::to_string(key.group) + std::string(kMap);
    const auto stem = (metadata.groups > 1 ? of_group : "") + "age" + std::string(kList) +
                      std::to_string(places[key.group]++) + std::string(kMap);
    flat.emplace_back(stem + "enc", key.sealed);
    flat.emplace_back(stem + "recipient", key.recipient);
  }
  if (metadata.groups > 1)
    flat.emplace_back("shamir_threshold", std::to_string(needed_groups(metadata)));
  if (!metadata.rules.text.empty())
    flat.emplace_back(name_of(metadata.rules.kind), metadata.rules.text);
  flat.emplace_back("lastmodified", metadata.last_modified);
  flat.emplace_back("mac", metadata.mac);
  if (metadata.rules.mac_only_encrypted) flat.emplace_back("mac_only_encrypted", "true");
  flat.emplace_back("version", metadata.version);
  std::sort(flat.begin(), flat.end());
  return flat;
}

}  // namespace skep::sops
