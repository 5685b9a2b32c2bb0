#include <string_view>

#include "compose/extensions.hpp"
#include "compose/loader.hpp"
#include "compose/paths.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

/// What `external` and `name` say together, for every kind (rules B8.1, B8.3). `kind` is as in the
/// CLI's messages; `deprecated_since` the minor version from which external.name is warned about.
struct Identity {
  std::string name;
  bool external = false;
};
Identity load_identity(const Field& field,
                       const std::string& key,
                       std::string_view kind,
                       int minor,
                       int deprecated_since) {
  Identity identity;
  identity.name = field["name"].text();
  const auto external = field["external"];
  identity.external = external.is_map() || external.boolean();
  if (!identity.external) return identity;
  const auto old_name = external.is_map() ? external["name"].text() : "";
  const std::string subject = std::string(kind) + ' ' + key + ": ";
  const std::string word(kind);
  if (!old_name.empty()) {
    if (!identity.name.empty()) {
      external.error(subject + word + ".external.name and " + word + ".name conflict; only use " +
                     word + ".name");
    } else if (minor >= deprecated_since) {
      external.warning(subject + word + ".external.name is deprecated in favor of " + word +
                       ".name");
    }
    identity.name = old_name;
  }
  if (identity.name.empty()) identity.name = key;
  return identity;
}

Network load_network(const Field& field, const std::string& key, int minor) {
  Network network;
  auto [name, external] = load_identity(field, key, "network", minor, 5);
  network.name = std::move(name);
  network.external = external;
  network.driver = field["driver"].text();
  network.driver_at = field["driver"].at();
  network.driver_opts = field["driver_opts"].strings();
  network.labels = field["labels"].strings();
  network.internal = field["internal"].boolean();
  network.attachable = field["attachable"].boolean();
  network.ipam_driver = field["ipam"]["driver"].text();
  for (const auto& pool : field["ipam"]["config"].items()) {
    network.subnets.push_back({pool["subnet"].text(), pool["subnet"].at()});
  }
  return network;
}

/// Rule B8.2.
void refuse_external_options(const Field& field, const Volume& volume, const std::string& key) {
  const auto refuse = [&](std::string_view option) {
    field[option].error("conflicting parameters \"external\" and " + quoted(option) +
                        " specified for volume " + quoted(key));
  };
  if (!volume.driver.empty()) refuse("driver");
  if (!volume.driver_opts.empty()) refuse("driver_opts");
  if (!volume.labels.empty()) refuse("labels");
}

Volume load_volume(const Field& field, const std::string& key, int minor) {
  Volume volume;
  auto [name, external] = load_identity(field, key, "volume", minor, 4);
  volume.name = std::move(name);
  volume.external = external;
  volume.driver = field["driver"].text();
  volume.driver_opts = field["driver_opts"].strings();
  volume.has_driver_opts = field["driver_opts"].present();
  volume.labels = field["labels"].strings();
  if (volume.external) refuse_external_options(field, volume, key);
  return volume;
}

FileObject load_file_object(const Field& field,
                            const std::string& key,
                            std::string_view kind,
                            const Input& input,
                            int minor) {
  FileObject object;
  auto [name, external] = load_identity(field, key, kind, minor, 5);
  object.name = std::move(name);
  object.external = external;
  object.labels = field["labels"].strings();
  object.template_driver = field["template_driver"].text();
  object.file_at = field["file"].at();
  if (external) return object;
  const auto file = field["file"].text();
  if (kind == "secret") {
    object.driver = field["driver"].text();
    object.driver_opts = field["driver_opts"].strings();
  }
  if (!object.driver.empty()) {
    if (!file.empty()) {
      field["file"].error("secret " + key +
                          ": secret.driver and secret.file conflict; only use secret.driver");
    }
    return object;
  }
  object.unreadable = !field.is_map();  // The schema has said so.
  if (!input.strict && field.is_map()) apply_content(field, input, object);
  if (!object.content) object.file = clean_path(resolve_path(input.working_directory, file));
  return object;
}

/// Calls `load(field, key)` for each entry of a section.
template <typename Map, typename Load>
void load_section(
    const Field& root, const char* section, ComposeFile& file, Map& result, Load load) {
  const auto field = root[section];
  if (field.written() && !field.is_map()) file.unreadable_sections.insert(section);
  for (const auto& [key, key_at, value] : field.members()) {
    auto object = load(value, key);
    object.at = key_at;
    result[key] = std::move(object);
  }
}

}  // namespace

void load_sections(const Field& root, const Input& input, int minor, ComposeFile& file) {
  load_section(root, "networks", file, file.networks, [&](const Field& field, const auto& key) {
    return load_network(field, key, minor);
  });
  load_section(root, "volumes", file, file.volumes, [&](const Field& field, const auto& key) {
    return load_volume(field, key, minor);
  });
  load_section(root, "secrets", file, file.secrets, [&](const Field& field, const auto& key) {
    return load_file_object(field, key, "secret", input, minor);
  });
  load_section(root, "configs", file, file.configs, [&](const Field& field, const auto& key) {
    return load_file_object(field, key, "config", input, minor);
  });
}

ComposeFile load_file(const Field& root, const Input& input, int minor) {
  constexpr std::size_t kMostPorts = 500'000;  // A few bytes of text each would fill any memory.
  ComposeFile file;
  std::size_t ports = 0;
  for (const auto& [key, key_at, value] : root["services"].members()) {
    if (!value.is_map()) continue;  // The schema has said so.
    auto service = load_service(value, input);
    service.at = key_at;
    ports += service.ports ? service.ports->size() : 0;
    file.services[key] = std::move(service);
    if (ports > kMostPorts) {
      value.error("the services before this one have more than 500000 ports together");
      break;
    }
  }
  load_sections(root, input, minor, file);
  return file;
}

}  // namespace skep::compose
