#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compose/paths.hpp"
#include "compose/rewrite.hpp"
#include "compose/stringify.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kDeepestExtends = 20;
constexpr std::size_t kLargest =
    10'000;  // Nodes of one service; laying maps over takes its square.

bool is_pair_list(std::string_view key) {
  return key == "environment" || key == "labels" || key == "sysctls" || key == "extra_hosts";
}

/// Where a character stands outside of `${…}`, which nobody has looked into yet.
std::size_t find_outside(std::string_view text, char wanted, std::size_t from = 0) {
  for (auto at = from; at < text.size(); ++at) {
    if (text.substr(at).starts_with("${")) {
      at = std::min(text.find('}', at), text.size());
    } else if (text[at] == wanted) {
      return at;
    }
  }
  return std::string_view::npos;
}

/// "HOST=IP" or "HOST:IP".
Cut cut_host(std::string_view text) {
  auto at = find_outside(text, '=');
  if (at == std::string_view::npos) at = find_outside(text, ':');
  if (at == std::string_view::npos) return {text, {}, false};
  return {text.substr(0, at), text.substr(at + 1), true};
}

bool is_replaced_list(std::string_view key) {
  return key == "command" || key == "entrypoint" || key == "test";
}

/// "A=1" items → a mapping; a list of names → a mapping of nulls.
yaml::Node as_map(const yaml::Node& node, bool pairs, bool hosts = false) {
  const auto* list = node.as<yaml::List>();
  if (!list) return node;
  yaml::Node map(yaml::Map{}, node.at());
  for (const auto& item : *list) {
    const auto* text = item.as<std::string>();
    if (!text) return node;
    const auto parts = hosts ? cut_host(*text) : cut(*text, '=');
    const bool split_here = pairs && parts.found;
    put(map,
        split_here ? parts.before : std::string_view(*text),
        split_here ? yaml::Node(std::string(parts.after), item.at())
                   : yaml::Node(yaml::Null{}, item.at()));
  }
  return map;
}

yaml::List as_list(const yaml::Node& node) {
  if (const auto* list = node.as<yaml::List>()) return *list;
  return {node};
}

/// What a volume entry is mounted at: entries for one target replace each other.
std::string target_of(const yaml::Node& volume) {
  if (const auto* target = volume.find("target")) {
    const auto* text = target->as<std::string>();
    return text ? *text : "";
  }
  const auto* text = volume.as<std::string>();
  if (!text) return "";
  const auto colon = find_outside(*text, ':');
  if (colon == std::string::npos) return *text;
  const auto end = std::min(find_outside(*text, ':', colon + 1), text->size());
  return text->substr(colon + 1, end - colon - 1);
}

/// Of a scalar that may be written as a text or a number.
std::string scalar_at(const yaml::Node& map, std::string_view key) {
  const auto* node = map.find(key);
  return node ? stringify(*node).value_or("") : "";
}

/// Where the file of a secret or config stands in the container: two cannot stand at one place.
std::string file_of(const yaml::Node& reference, std::string_view directory) {
  auto target = stringify(reference).value_or("");
  if (reference.as<yaml::Map>()) target = scalar_at(reference, "target");
  if (target.empty()) target = scalar_at(reference, "source");
  return target.starts_with(directory) ? target.substr(directory.size()) : target;
}

/// The address, the published port, the container's and the protocol, whatever the form.
std::string port_of(const yaml::Node& port) {
  const auto joined = [](const std::string& address,
                         const std::string& published,
                         const std::string& target,
                         const std::string& protocol) {
    return address + '|' + published + '|' + target + '|' +
           (protocol.empty() ? "tcp" : lower(protocol));
  };
  if (port.as<yaml::Map>()) {
    return joined(scalar_at(port, "host_ip"),
                  scalar_at(port, "published"),
                  scalar_at(port, "target"),
                  scalar_at(port, "protocol"));
  }
  auto text = stringify(port).value_or("");
  const auto slash = find_outside(text, '/');
  const auto protocol = slash == std::string::npos ? "" : text.substr(slash + 1);
  text = text.substr(0, slash);
  std::vector<std::size_t> colons;
  for (auto at = find_outside(text, ':'); at != std::string::npos;
       at = find_outside(text, ':', at + 1)) {
    colons.push_back(at);
  }
  if (colons.empty()) return joined("", "", text, protocol);
  const auto last = colons.back();
  if (colons.size() == 1) return joined("", text.substr(0, last), text.substr(last + 1), protocol);
  const auto middle = colons[colons.size() - 2];
  auto address = text.substr(0, middle);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  return joined(
      address, text.substr(middle + 1, last - middle - 1), text.substr(last + 1), protocol);
}

/// Options are one driver's.
bool other_driver(const yaml::Node& base, const yaml::Node& over) {
  const auto before = scalar_at(base, "driver");
  const auto after = scalar_at(over, "driver");
  return !before.empty() && !after.empty() && before != after;
}

/// Of a host's entry; not yet a key, for variables in keys stay.
std::string host_of(const yaml::Node& entry) {
  const auto* text = entry.as<std::string>();
  return text ? std::string(cut_host(*text).before) : fingerprint(entry);
}

yaml::Node append(const yaml::Node& base, const yaml::Node& over, std::string_view key) {
  const auto identity = [key](const yaml::Node& item) {
    if (key == "extra_hosts") return host_of(item);
    if (key == "secrets") return file_of(item, "/run/secrets/");
    if (key == "configs") return file_of(item, "/");
    if (key == "ports") return port_of(item);
    return key == "volumes" ? target_of(item) : fingerprint(item);
  };
  auto items = as_list(base);
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < items.size(); ++i) place[identity(items[i])] = i;
  for (const auto& item : as_list(over)) {
    const auto [found, added] = place.emplace(identity(item), items.size());
    if (added) {
      items.push_back(item);
    } else {
      items[found->second] = item;
    }
  }
  return {std::move(items), over.at()};
}

/// Follows one chain of `extends`.
class Extender {
 public:
  explicit Extender(Rewrite& rewrite) : rewrite_(rewrite) {}

  /// The service as it stands, or with all it extends. `directory`: where its file's relative
  /// paths start; `path` is "" for the stack's own file.
  yaml::Node resolve(yaml::Node service,
                     const std::string& name,
                     const yaml::Node& root,
                     const std::string& path,
                     const std::string& directory) {
    auto extends = take(service, "extends");
    if (!extends) return service;
    const std::string id = path + '#' + name;
    if (std::find(chain_.begin(), chain_.end(), id) != chain_.end() ||
        chain_.size() >= kDeepestExtends) {
      rewrite_.error(extends->key_at,
                     chain_.size() >= kDeepestExtends
                         ? "services extend each other more than 20 deep"
                         : "service " + name + " extends itself");
      return service;
    }
    chain_.push_back(id);
    auto base = base_of(extends->value, name, root, path, directory);
    chain_.pop_back();
    return base ? overlay(*std::move(base), service) : service;
  }

 private:
  /// `extending` is the service that `extends` stands in.
  std::optional<yaml::Node> base_of(const yaml::Node& extends,
                                    const std::string& extending,
                                    const yaml::Node& root,
                                    const std::string& path,
                                    const std::string& directory) {
    rewrite_.only_known_keys(extends, "extends", {"service", "file"});
    const auto* service = extends.as<yaml::Map>() ? extends.find("service") : &extends;
    const auto name = service ? rewrite_.interpolated(*service, "extends.service") : std::nullopt;
    if (!name) {
      rewrite_.error(extends.at(), "extends needs the name of a service");
      return std::nullopt;
    }
    const yaml::Node* base_root = &root;
    std::string base_path = path;
    std::string base_directory = directory;
    if (const auto* file = extends.find("file")) {
      const auto text = rewrite_.interpolated(*file, "extends.file");
      if (!text) return std::nullopt;
      base_path = clean_path(resolve_path(directory, *text));
      base_root = rewrite_.file(base_path, file->at());
      if (!base_root) return std::nullopt;
      base_directory = directory_of(base_path);
    }
    const auto* services = base_root->find("services");
    const auto* found = services ? services->find(*name) : nullptr;
    if (!found) {
      std::vector<std::string> names;
      if (const auto* all = services ? services->as<yaml::Map>() : nullptr) {
        for (const auto& entry : *all) {
          if (entry.key != extending || base_root != &root) names.push_back(entry.key);
        }
      }
      const auto near = nearest(*name, names);
      rewrite_.error(service->at(),
                     "services." + extending + ".extends: there is no service " + quoted(*name) +
                         (near.empty() ? "" : "; did you mean " + near + '?'));
      return std::nullopt;
    }
    if (count_nodes(*found) > kLargest) {
      rewrite_.error(extends.at(), "service " + quoted(*name) + " is too large to be extended");
      return std::nullopt;
    }
    auto base = resolve(*found, *name, *base_root, base_path, base_directory);
    // Other services need not exist where this one goes.
    for (const auto* key : {"depends_on", "links", "volumes_from"}) take(base, key);
    if (base_directory != directory) rebase_service(base, base_directory, rewrite_);
    return base;
  }

  Rewrite& rewrite_;
  std::vector<std::string> chain_;
};

std::string with_dollars_doubled(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '$' ? "$$" : std::string(1, c);
  return result;
}

/// A relative path as it is from `directory`, to be interpolated later; nothing where it is to stay
/// as it is written. Its variables may hold where it starts, so they are put in at once.
std::optional<std::string> rebased(const yaml::Node& written,
                                   const std::string& directory,
                                   const Rewrite& rewrite,
                                   bool only_dotted = false) {
  const auto* text = written.as<std::string>();
  if (!text) return std::nullopt;
  const auto value = rewrite.expanded(written);
  // What is wrong with it is said later, and about the text as it is written.
  if (!value && text->starts_with('$')) return std::nullopt;
  const auto& path = value ? *value : *text;
  const bool fixed = path.empty() || path.front() == '/' || path.front() == '~' ||
                     is_absolute_on_windows(path) || (only_dotted && path.front() != '.');
  if (fixed) return std::nullopt;
  if (value) return with_dollars_doubled(clean_path(resolve_path(directory, path)));
  return clean_path(resolve_path(with_dollars_doubled(directory), path));
}

void rebase_text(yaml::Node* node, const std::string& directory, const Rewrite& rewrite) {
  auto path = node ? rebased(*node, directory, rewrite) : std::nullopt;
  if (path) node->value() = *std::move(path);
}

void rebase_volume(yaml::Node& volume, const std::string& directory, const Rewrite& rewrite) {
  const auto* text = volume.as<std::string>();
  if (!text) {
    const auto* type = volume.find("type");
    const auto kind = type ? rewrite.expanded(*type) : std::nullopt;
    if (kind == "bind") rebase_text(volume.find("source"), directory, rewrite);
    return;
  }
  const auto colon = find_outside(*text, ':');
  if (colon == std::string::npos) return;
  const yaml::Node source(text->substr(0, colon), volume.at());
  const auto path = rebased(source, directory, rewrite, true);
  if (path) volume.value() = *path + text->substr(colon);
}

}  // namespace

yaml::Node overlay(yaml::Node base, const yaml::Node& over, std::string_view key) {
  if (over.is_null()) return base;
  if (is_replaced_list(key) || base.is_null()) return over;
  if (key == "logging" && other_driver(base, over)) return over;
  const bool hosts = key == "extra_hosts";
  if (hosts && base.as<yaml::List>() && over.as<yaml::List>()) return append(base, over, key);
  if (is_pair_list(key) || key == "networks" || key == "depends_on") {
    base = as_map(base, is_pair_list(key), hosts);
    const auto mapped = as_map(over, is_pair_list(key), hosts);
    if (!base.as<yaml::Map>() || !mapped.as<yaml::Map>()) return over;
    for (const auto& entry : *mapped.as<yaml::Map>()) {
      auto* mine = base.find(entry.key);
      put(base,
          entry.key,
          mine && key == "networks" ? overlay(std::move(*mine), entry.value) : entry.value);
    }
    return base;
  }
  if (base.as<yaml::List>() || over.as<yaml::List>()) return append(base, over, key);
  const auto* entries = over.as<yaml::Map>();
  if (!entries || !base.as<yaml::Map>()) return over;
  for (const auto& entry : *entries) {
    auto* mine = base.find(entry.key);
    put(base, entry.key, mine ? overlay(std::move(*mine), entry.value, entry.key) : entry.value);
  }
  return base;
}

void rebase_service(yaml::Node& service, const std::string& directory, const Rewrite& rewrite) {
  if (auto* env_file = service.find("env_file")) {
    rebase_text(env_file, directory, rewrite);
    rebase_text(env_file->find("path"), directory, rewrite);
    if (auto* list = env_file->as<yaml::List>()) {
      for (auto& item : *list) {
        rebase_text(item.as<yaml::Map>() ? item.find("path") : &item, directory, rewrite);
      }
    }
  }
  auto* volumes = service.find("volumes");
  if (auto* list = volumes ? volumes->as<yaml::List>() : nullptr) {
    for (auto& volume : *list) rebase_volume(volume, directory, rewrite);
  }
  if (auto* extends = service.find("extends")) {
    rebase_text(extends->find("file"), directory, rewrite);
  }
}

void rebase_file_object(yaml::Node& object, const std::string& directory, const Rewrite& rewrite) {
  rebase_text(object.find("file"), directory, rewrite);
}

void apply_extends(yaml::Node& root, Rewrite& rewrite) {
  auto* services = root.find("services");
  auto* entries = services ? services->as<yaml::Map>() : nullptr;
  if (!entries) return;
  const yaml::Node original = root;
  for (auto& entry : *entries) {
    if (!entry.value.find("extends")) continue;
    entry.value = Extender(rewrite).resolve(
        std::move(entry.value), entry.key, original, "", rewrite.input().working_directory);
    if (!rewrite.spend(count_nodes(entry.value), entry.key_at)) return;
  }
}

}  // namespace skep::compose
