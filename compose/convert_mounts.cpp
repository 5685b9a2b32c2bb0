#include <string_view>
#include <utility>

#include "compose/convert.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

/// Reports an options mapping that belongs to another type (rule C3.4).
bool has_foreign_options(const ServiceConversion& conversion,
                         const ServiceVolume& volume,
                         std::string_view type,
                         bool volume_allowed,
                         bool bind_allowed,
                         bool tmpfs_allowed) {
  const auto refuse = [&](const char* options) {
    conversion.error(
        volume.at,
        std::string(options) + " options are incompatible with type " + std::string(type));
    return true;
  };
  if (volume.tmpfs_size && !tmpfs_allowed) return refuse("tmpfs");
  if (volume.propagation && !bind_allowed) return refuse("bind");
  if (volume.volume && !volume_allowed) return refuse("volume");
  return false;
}

bool lacks_source(const ServiceConversion& conversion, const ServiceVolume& volume) {
  if (!volume.source.empty()) return false;
  conversion.error(volume.at, "invalid " + volume.type + " source, source cannot be empty");
  return true;
}

/// The top-level definition of a mount's source; reports one that is missing.
const Volume* find_definition(const ServiceConversion& conversion, const ServiceVolume& volume) {
  const auto& file = conversion.all.file;
  const auto found = file.volumes.find(volume.source);
  if (found != file.volumes.end()) return &found->second;
  if (!file.unreadable_sections.contains("volumes")) {
    const bool path = volume.source.find('/') != std::string::npos;
    const bool dotted = volume.source.starts_with("./") || volume.source.starts_with("../");
    conversion.error(volume.at,
                     "undefined volume " + quoted(volume.source) +
                         (dotted ? "; a path is mounted with type: bind"
                          : path ? "; a directory beside the file is written ./" + volume.source
                                 : advice_for_undefined(volume.source, file.volumes, "volumes")));
  }
  return nullptr;
}

void convert_volume(const ServiceConversion& conversion,
                    const ServiceVolume& volume,
                    swarm::Mount& mount) {
  if (has_foreign_options(conversion, volume, "volume", true, false, false)) return;
  if (volume.source.empty()) return;  // Anonymous: no options, whatever was written.
  const auto* definition = find_definition(conversion, volume);
  if (!definition) return;
  mount.source = conversion.all.object_name(volume.source, definition->name);
  mount.volume_options.emplace();
  if (volume.volume) {
    mount.volume_options->no_copy = volume.volume->nocopy;
    mount.volume_options->subpath = volume.volume->subpath;
  }
  if (definition->external) return;
  mount.volume_options->labels = conversion.all.with_stack_label(definition->labels);
  if (!definition->driver.empty() || definition->has_driver_opts) {
    mount.volume_options->driver_config =
        swarm::Driver{definition->driver, definition->driver_opts};
  }
}

void convert_bind(const ServiceConversion& conversion,
                  const ServiceVolume& volume,
                  swarm::Mount& mount) {
  if (lacks_source(conversion, volume)) return;
  if (has_foreign_options(conversion, volume, volume.type, false, true, false)) return;
  if (volume.propagation) {
    mount.bind_options.emplace();
    mount.bind_options->propagation = *volume.propagation;
  }
}

void convert_tmpfs(const ServiceConversion& conversion,
                   const ServiceVolume& volume,
                   swarm::Mount& mount) {
  if (has_foreign_options(conversion, volume, "tmpfs", false, false, true)) return;
  if (!volume.source.empty()) {
    conversion.error(volume.at, "invalid tmpfs source, source must be empty");
  }
  if (volume.tmpfs_size) {
    mount.tmpfs_options.emplace();
    mount.tmpfs_options->size_bytes = *volume.tmpfs_size;
  }
}

void convert_cluster(const ServiceConversion& conversion,
                     const ServiceVolume& volume,
                     swarm::Mount& mount) {
  if (lacks_source(conversion, volume)) return;
  if (has_foreign_options(conversion, volume, "cluster", false, false, false)) return;
  mount.cluster_options.emplace();
  if (volume.source.rfind("group:", 0) == 0) return;
  if (const auto* definition = find_definition(conversion, volume)) {
    mount.source = conversion.all.object_name(volume.source, definition->name);
  }
}

swarm::Mount convert_mount(const ServiceConversion& conversion, const ServiceVolume& volume) {
  swarm::Mount mount;
  mount.type = volume.type;
  mount.source = volume.source;
  mount.target = volume.target;
  mount.read_only = volume.read_only;
  mount.consistency = volume.consistency;
  if (volume.type.empty() || volume.type == "volume") {
    convert_volume(conversion, volume, mount);
  } else if (volume.type == "bind" || volume.type == "npipe") {
    convert_bind(conversion, volume, mount);
  } else if (volume.type == "tmpfs") {
    convert_tmpfs(conversion, volume, mount);
  } else if (volume.type == "cluster") {
    convert_cluster(conversion, volume, mount);
  } else if (volume.type == "image") {
    if (!lacks_source(conversion, volume)) {
      has_foreign_options(conversion, volume, "image", false, false, false);
    }
  } else {
    conversion.error(volume.at, "volume type must be volume, bind, tmpfs, npipe, or cluster");
  }
  return mount;
}

}  // namespace

std::vector<swarm::Mount> convert_mounts(const ServiceConversion& conversion) {
  std::vector<swarm::Mount> mounts;
  if (!conversion.service.volumes) return mounts;
  for (const auto& volume : *conversion.service.volumes) {
    mounts.push_back(convert_mount(conversion, volume));
  }
  return mounts;
}

}  // namespace skep::compose
